"""Optimizers: they update a model's parameters from the gradients of a batch."""

from typing import Any

from pyconv import _registry
from pyconv.optimizers.adam import Adam, AdamW
from pyconv.optimizers.optimizer import Optimizer
from pyconv.optimizers.rmsprop import RMSprop
from pyconv.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "deserialize", "get", "serialize"]

_CLASSES: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


def get(identifier: Any) -> Optimizer:
    """Return the optimizer of a name, a config, or the optimizer itself.

    Args:
        identifier: 'sgd', 'rmsprop', 'adam' or 'adamw' in any case, what ``serialize`` gave, or
            an ``Optimizer``.

    Raises:
        TypeError: it is none of these.
        ValueError: the name or the config is not known.

    Example:
        >>> import pyconv
        >>> pyconv.optimizers.get("adam").learning_rate
        0.001
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str):
        found = _registry.find_class("optimizers.get", "optimizer", identifier, _CLASSES)
        return _registry.construct("optimizers.get", found, {})
    if isinstance(identifier, dict):
        return deserialize(identifier)
    hint = "; give an instance: Adam()" if isinstance(identifier, type) else ""
    raise TypeError(
        "optimizers.get: identifier must be a name such as 'adam', a config or an Optimizer, got "
        f"{identifier!r}{hint}"
    )


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}``.

    Example:
        >>> import pyconv
        >>> pyconv.optimizers.serialize(pyconv.optimizers.SGD())["class_name"]
        'SGD'
    """
    return _registry.to_config(optimizer)


def deserialize(config: dict[str, Any]) -> Optimizer:
    """Make the optimizer that ``serialize`` described.

    Raises:
        ValueError: the class is not in pyconv's table, or an argument is wrong.

    Example:
        >>> import pyconv
        >>> config = {"class_name": "Adam", "config": {"learning_rate": 0.01}}
        >>> pyconv.optimizers.deserialize(config).learning_rate
        0.01
    """
    found, arguments = _registry.find_config(
        "optimizers.deserialize", "optimizer", config, _CLASSES
    )
    return _registry.construct("optimizers.deserialize", found, arguments)
