"""Schedules that fall by a power, a division or in steps."""

import bisect
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyconv._args import FLOAT_MAX, bool_arg, float_arg, shown
from pyconv.optimizers.schedules.schedule import LearningRateSchedule, steps_arg


class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Args:
        initial_learning_rate: the rate of step 0.
        decay_steps: above 0.
        decay_rate: what the rate is multiplied by in ``decay_steps`` steps.
        staircase: whether ``step / decay_steps`` is rounded down.
        name: the schedule's name.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range.

    Example:
        >>> import pyconv
        >>> rate = pyconv.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
        >>> rate(0), rate(20)
        (0.1, 0.025)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "ExponentialDecay",
    ) -> None:
        owner = type(self).__name__
        self.initial_learning_rate = float_arg(
            owner, "initial_learning_rate", initial_learning_rate
        )
        self.decay_steps = steps_arg(owner, "decay_steps", decay_steps)
        self.decay_rate = float_arg(owner, "decay_rate", decay_rate)
        self.staircase = bool_arg(type(self).__name__, "staircase", staircase)
        self.name = name

    def __call__(self, step: Any) -> float:
        """Return the rate of a step."""
        return float(self.initial_learning_rate * self.decay_rate ** self._share(step))

    def _share(self, step: Any) -> float:
        share = float(step) / float(self.decay_steps)
        return math.floor(share) if self.staircase else share

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class InverseTimeDecay(ExponentialDecay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    The ``decay`` of Keras 2's optimizers is ``InverseTimeDecay(rate, 1, decay)``.

    Args:
        initial_learning_rate: the rate of step 0.
        decay_steps: above 0.
        decay_rate: how fast the rate falls.
        staircase: whether ``step / decay_steps`` is rounded down.
        name: the schedule's name.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range.

    Example:
        >>> import pyconv
        >>> pyconv.optimizers.schedules.InverseTimeDecay(0.1, 10, 0.5)(20)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: Any) -> float:
        """Return the rate of a step."""
        return self.initial_learning_rate / (1 + self.decay_rate * self._share(step))


class PolynomialDecay(LearningRateSchedule):
    """From one rate to another as ``(1 - step / decay_steps) ** power``.

    Args:
        initial_learning_rate: the rate of step 0.
        decay_steps: above 0; the rate stays from there on.
        end_learning_rate: the rate at the end.
        power: 1 for a line.
        cycle: whether, after ``decay_steps``, the rate rises and falls again over a multiple of
            them.
        name: the schedule's name.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range.

    Example:
        >>> import pyconv
        >>> rate = pyconv.optimizers.schedules.PolynomialDecay(0.5, 10, 0.0)
        >>> rate(5), rate(15)
        (0.25, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = "PolynomialDecay",
    ) -> None:
        owner = "PolynomialDecay"
        self.initial_learning_rate = float_arg(
            owner, "initial_learning_rate", initial_learning_rate
        )
        self.decay_steps = steps_arg(owner, "decay_steps", decay_steps)
        self.end_learning_rate = float_arg(owner, "end_learning_rate", end_learning_rate)
        self.power = float_arg(owner, "power", power)
        self.cycle = bool_arg(type(self).__name__, "cycle", cycle)
        self.name = name

    def __call__(self, step: Any) -> float:
        """Return the rate of a step."""
        at, steps = float(step), float(self.decay_steps)
        if self.cycle:
            steps *= math.ceil(at / steps) or 1
        left = 1 - min(at, steps) / steps
        span = self.initial_learning_rate - self.end_learning_rate
        return float(span * left**self.power + self.end_learning_rate)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to and with step ``boundaries[i]``, the last value after the last one.

    Args:
        boundaries: steps, in rising order.
        values: rates, one more than ``boundaries``.
        name: the schedule's name.

    Raises:
        TypeError: a value is not a number.
        ValueError: there are not as many values as wanted, or boundaries do not rise.

    Example:
        >>> import pyconv
        >>> rate = pyconv.optimizers.schedules.PiecewiseConstantDecay([100], [0.1, 0.01])
        >>> rate(100), rate(101)
        (0.1, 0.01)
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str | None = "PiecewiseConstant",
    ) -> None:
        owner = "PiecewiseConstantDecay"
        for argument, given in (("boundaries", boundaries), ("values", values)):
            if not isinstance(given, (list, tuple, np.ndarray)):
                raise TypeError(
                    f"{owner}: {argument} must be a list of numbers, got {shown(given)}"
                )
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"{owner}: The length of boundaries should be 1 less than the length of values. "
                f"Received: boundaries={boundaries} of length {len(boundaries)}, and "
                f"values={values} of length {len(values)}."
            )
        for value in values:
            float_arg(owner, "values", value)
        for boundary in boundaries:
            float_arg(owner, "boundaries", boundary, -FLOAT_MAX)
        if sorted(boundaries) != list(boundaries):
            raise ValueError(f"{owner}: boundaries must be in rising order, got {boundaries}")
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def __call__(self, step: Any) -> float:
        """Return the rate of a step."""
        return float(self.values[bisect.bisect_left(self.boundaries, float(step))])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}
