"""Optimizers: they update a model's parameters from the gradients of a batch."""

from collections.abc import Mapping
from typing import Any

from pyconv import _registry
from pyconv.optimizers import schedules
from pyconv.optimizers.adadelta import Adadelta
from pyconv.optimizers.adafactor import Adafactor
from pyconv.optimizers.adagrad import Adagrad
from pyconv.optimizers.adam import Adam, AdamW
from pyconv.optimizers.adamax import Adamax
from pyconv.optimizers.ftrl import Ftrl
from pyconv.optimizers.lamb import Lamb
from pyconv.optimizers.lion import Lion
from pyconv.optimizers.loss_scale import LossScaleOptimizer
from pyconv.optimizers.multi import MultiOptimizer, OptimizerMap
from pyconv.optimizers.muon import Muon
from pyconv.optimizers.nadam import Nadam
from pyconv.optimizers.optimizer import Optimizer
from pyconv.optimizers.rmsprop import RMSprop
from pyconv.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from pyconv.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

_CLASSES: dict[str, type[Optimizer]] = {
    found.__name__.lower(): found
    for found in (
        SGD, RMSprop, Adam, AdamW, Adagrad, Adadelta, Adamax, Nadam, Lion, Ftrl, Adafactor, Lamb,
        Muon, ScheduleFreeAdamW, LossScaleOptimizer, MultiOptimizer,
    )
}  # fmt: skip


def get(identifier: Any) -> Any:
    """Return the optimizer of a name, a config, or the optimizer itself; None for None.

    Args:
        identifier: such as 'sgd', 'rmsprop', 'adam' or 'adamw' in any case, what ``serialize``
            gave, an ``Optimizer``, or None.

    Raises:
        ValueError: it is none of these, or the name or the config is not known.

    Example:
        >>> import pyconv
        >>> pyconv.optimizers.get("adam").learning_rate
        0.001
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str):
        found = _registry.find_class("optimizers.get", "optimizer", identifier, _CLASSES)
        return _registry.construct("optimizers.get", found, {})
    if isinstance(identifier, dict):
        return deserialize(identifier)
    hint = "; give an instance: Adam()" if isinstance(identifier, type) else ""
    raise ValueError(
        "optimizers.get: Could not interpret optimizer identifier; it must be a name such as "
        f"'adam', a config or an Optimizer, got {identifier!r}{hint}"
    )


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}``.

    Example:
        >>> import pyconv
        >>> pyconv.optimizers.serialize(pyconv.optimizers.SGD())["class_name"]
        'SGD'
    """
    return _registry.to_config(optimizer)


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Optimizer:
    """Make the optimizer that ``serialize`` described.

    Args:
        config: what ``serialize`` gave.
        custom_objects: your own classes by name.

    Raises:
        ValueError: the class is not in pyconv's table, or an argument is wrong.

    Example:
        >>> import pyconv
        >>> config = {"class_name": "Adam", "config": {"learning_rate": 0.01}}
        >>> pyconv.optimizers.deserialize(config).learning_rate
        0.01
    """
    found, arguments = _registry.find_config(
        "optimizers.deserialize",
        "optimizer",
        config,
        _registry.with_custom(_CLASSES, custom_objects),
    )
    return _registry.construct("optimizers.deserialize", found, arguments)
