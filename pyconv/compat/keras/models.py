"""``keras.models``: Sequential, and models from files."""

from typing import Any, NoReturn

from pyconv import models
from pyconv.compat import _unsupported
from pyconv.compat._model import Sequential, adopt

__all__ = ["Model", "Sequential", "load_model"]


def load_model(filepath: Any, custom_objects: Any = None, compile: bool = True) -> Any:
    """Return the model of a file, as ``pyconv.models.load_model``.

    Example:
        >>> import os, tempfile
        >>> import pyconv.compat.keras as keras
        >>> model = keras.models.Sequential([keras.layers.Dense(2, input_dim=4)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> model.save(path)
        >>> keras.models.load_model(path).predict_classes([[0.0, 0.0, 0.0, 0.0]]).tolist()
        [0]
    """
    return adopt(models.load_model(filepath, custom_objects, compile))


class Model:
    """Keras's model of any graph, which pyconv has not: making one raises an error.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.models.Model(inputs=[], outputs=[])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        NotImplementedError: keras.Model: ...
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise a NotImplementedError."""
        raise NotImplementedError(
            "keras.Model: pyconv has no functional API and no models by subclassing; chain the "
            "layers in a keras.Sequential([...])"
        )


__getattr__ = _unsupported.getter(__name__, models)
