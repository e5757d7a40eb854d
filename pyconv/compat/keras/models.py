"""``keras.models``: Sequential, stacks made by the functional API, and models from files."""

import functools
from collections.abc import Callable
from typing import Any

from pyconv import models
from pyconv.compat import _arguments, _unsupported
from pyconv.compat._chain import stack
from pyconv.compat._model import Sequential as Sequential
from pyconv.compat._model import adopt


class Model:
    """``Model(inputs, outputs)`` is a Sequential of the layers that were called one by one.

    Models with branches, and subclasses of ``Model``, are errors that say what to use.

    Args:
        inputs: an ``Input``. Keras 1 called it ``input``.
        outputs: what the last layer's call gave. Keras 1 called it ``output``.
        name: the model's name.

    Raises:
        NotImplementedError: the layers are no chain from one ``Input``.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> inputs = keras.Input((8,))
        >>> hidden = keras.layers.Dense(4, activation="relu")(inputs)
        >>> keras.Model(inputs, keras.layers.Dense(2)(hidden)).count_params()
        46
    """

    def __new__(
        cls, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any
    ) -> Any:
        """Return the Sequential."""
        given = {"inputs": inputs, "outputs": outputs}
        for old, new in (("input", "inputs"), ("output", "outputs")):
            if old in kwargs:
                given[new] = kwargs.pop(old)
        if kwargs:
            raise TypeError(f"Model: unknown arguments {sorted(kwargs)}")
        return Sequential(stack(**given), name=name)


def _adopting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that makes a model, which then has the older methods too."""

    @functools.wraps(function)
    def make(*args: Any, **kwargs: Any) -> Any:
        _arguments.drop(kwargs, "safe_mode")
        made = function(*args, **kwargs)
        return made if made is None else adopt(made)

    make.__module__ = __name__
    return make


_names = {name: _adopting(getattr(models, name)) for name in models.__all__ if name != "Sequential"}
globals().update(_names)
__all__ = sorted([*_names, "Model", "Sequential"])
__getattr__ = _unsupported.getter(__name__, models)
