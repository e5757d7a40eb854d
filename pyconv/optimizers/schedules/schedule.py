"""The base of every schedule of the learning rate."""

from collections.abc import Mapping
from typing import Any

from pyconv._args import float_arg


class LearningRateSchedule:
    """A learning rate that depends on the number of steps made so far.

    An instance is the ``learning_rate`` of an optimizer. A schedule of one's own defines
    ``__call__`` and, to be saved, ``get_config``.

    Example:
        >>> import pyconv
        >>> class Warm(pyconv.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return min(0.1, 0.01 * (step + 1))
        >>> optimizer = pyconv.optimizers.SGD(learning_rate=Warm())
        >>> optimizer.learning_rate
        0.01
    """

    def __call__(self, step: Any) -> float:
        """Return the rate of a step, counted from 0."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `get_config()` in order "
            "to be serializable."
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "LearningRateSchedule":
        """Make a schedule from what ``get_config`` gave."""
        return cls(**config)


def steps_arg(owner: str, name: str, value: Any) -> Any:
    """Return ``value``, a number of steps above 0."""
    if not float_arg(owner, name, value, -float("inf")) > 0:
        raise ValueError(f"{owner}: Argument `{name}` must be > 0. Received: {name}={value}")
    return value
