"""Learning rates that change from step to step."""

from collections.abc import Mapping
from typing import Any

from pyconv import _registry
from pyconv.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from pyconv.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from pyconv.optimizers.schedules.schedule import LearningRateSchedule

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]

_CLASSES: dict[str, type[LearningRateSchedule]] = {
    found.__name__.lower(): found
    for found in (
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
    )
}


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}``.

    Example:
        >>> import pyconv
        >>> rate = pyconv.optimizers.schedules.CosineDecay(0.1, 100)
        >>> pyconv.optimizers.schedules.serialize(rate)["class_name"]
        'CosineDecay'
    """
    return _registry.to_config(learning_rate_schedule)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> LearningRateSchedule:
    """Make the schedule that ``serialize`` described.

    Args:
        config: what ``serialize`` gave.
        custom_objects: your own schedule classes by name.

    Raises:
        ValueError: the class is not known, or an argument is wrong.

    Example:
        >>> import pyconv
        >>> config = {"class_name": "InverseTimeDecay", "config": {
        ...     "initial_learning_rate": 0.1, "decay_steps": 1, "decay_rate": 1.0}}
        >>> pyconv.optimizers.schedules.deserialize(config)(1)
        0.05
    """
    found, arguments = _registry.find_config(
        "schedules.deserialize", "schedule", config, _registry.with_custom(_CLASSES, custom_objects)
    )
    return _registry.construct("schedules.deserialize", found, arguments)
