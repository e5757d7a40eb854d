"""Losses: what training makes small."""

from typing import Any

from pyconv import _registry
from pyconv.losses.categorical_crossentropy import (
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from pyconv.losses.elementwise import BinaryCrossentropy, MeanAbsoluteError, MeanSquaredError
from pyconv.losses.functional import (
    binary_crossentropy,
    categorical_crossentropy,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from pyconv.losses.loss import Loss

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_crossentropy",
]

_FUNCTIONS: dict[Any, type[Loss]] = {
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    mean_absolute_error: MeanAbsoluteError,
    mean_squared_error: MeanSquaredError,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}
_CLASSES: dict[str, type[Loss]] = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    **{function.__name__: found for function, found in _FUNCTIONS.items()},
    **{found.__name__.lower(): found for found in _FUNCTIONS.values()},
}


def get(identifier: Any) -> Loss:
    """Return the loss of a name, a function of this module, a config, or the loss itself.

    Args:
        identifier: such as 'categorical_crossentropy', 'CategoricalCrossentropy' or 'mse', a
            function of this module, what ``serialize`` gave, or a ``Loss``.

    Raises:
        TypeError: it is none of these. A function of one's own has no gradient to train with:
            make a ``Loss`` with ``call`` and ``call_with_gradient`` of it.
        ValueError: the name or the config is not known.

    Example:
        >>> import pyconv
        >>> pyconv.losses.get("mse").name
        'mean_squared_error'
    """
    if isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str):
        return _registry.find_class("losses.get", "loss", identifier, _CLASSES)()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        raise TypeError(f"losses.get: got the class, give an instance: {identifier.__name__}()")
    if callable(identifier) and identifier in _FUNCTIONS:
        return _FUNCTIONS[identifier]()
    hint = (
        "; a function has no gradient to train with, make a subclass of losses.Loss with call "
        "and call_with_gradient"
        if callable(identifier)
        else ""
    )
    raise TypeError(
        "losses.get: identifier must be a name such as 'categorical_crossentropy', a config or a "
        f"Loss, got {identifier!r}{hint}"
    )


def serialize(loss: Loss) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}``.

    Example:
        >>> import pyconv
        >>> pyconv.losses.serialize(pyconv.losses.MeanSquaredError())["class_name"]
        'MeanSquaredError'
    """
    return _registry.to_config(loss)


def deserialize(config: dict[str, Any]) -> Loss:
    """Make the loss that ``serialize`` described.

    Raises:
        ValueError: the class is not in pyconv's table, or an argument is wrong.

    Example:
        >>> import pyconv
        >>> pyconv.losses.deserialize({"class_name": "MeanSquaredError"}).reduction
        'sum_over_batch_size'
    """
    found, arguments = _registry.find_config("losses.deserialize", "loss", config, _CLASSES)
    return _registry.construct("losses.deserialize", found, arguments)
