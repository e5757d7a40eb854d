"""Schedules that fall as a cosine."""

import math
from typing import Any

from pyconv._args import float_arg
from pyconv.optimizers.schedules.schedule import LearningRateSchedule, steps_arg


class CosineDecay(LearningRateSchedule):
    """Half a cosine (Loshchilov and Hutter, 2017), after a linear warm-up where asked for.

    ``rate * ((1 - alpha) * 0.5 * (1 + cos(pi * step / decay_steps)) + alpha)``.

    Args:
        initial_learning_rate: the rate of step 0.
        decay_steps: steps of the fall, above 0, not counting the warm-up.
        alpha: the rate at the end, as a share of that at the beginning of the fall.
        name: the schedule's name.
        warmup_target: the rate at the end of the warm-up; None for no warm-up.
        warmup_steps: steps of the warm-up.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range.

    Example:
        >>> import pyconv
        >>> rate = pyconv.optimizers.schedules.CosineDecay(
        ...     0.0, 100, warmup_target=0.1, warmup_steps=10
        ... )
        >>> [round(rate(step), 4) for step in (0, 5, 10, 60, 110)]
        [0.0, 0.05, 0.1, 0.05, 0.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        owner = "CosineDecay"
        self.initial_learning_rate = float_arg(
            owner, "initial_learning_rate", initial_learning_rate
        )
        self.decay_steps = steps_arg(owner, "decay_steps", decay_steps)
        self.alpha = float_arg(owner, "alpha", alpha)
        self.name = name
        self.warmup_target = (
            None if warmup_target is None else float_arg(owner, "warmup_target", warmup_target)
        )
        float_arg(owner, "warmup_steps", warmup_steps)
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> float:
        """Return the rate of a step."""
        at, begin, warmup = float(step), self.initial_learning_rate, 0.0
        if self.warmup_target is not None:
            warmup = float(self.warmup_steps)
            if at < warmup:
                return begin + (self.warmup_target - begin) * at / warmup
            begin = self.warmup_target
        share = min((at - warmup) / float(self.decay_steps), 1.0)
        cosine = 0.5 * (1 + math.cos(math.pi * share))
        return begin * ((1 - self.alpha) * cosine + self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine again and again, with warm restarts (Loshchilov and Hutter, 2017).

    Args:
        initial_learning_rate: the rate of step 0.
        first_decay_steps: steps of the first period, above 0.
        t_mul: how much longer than the one before each period is.
        m_mul: what the rate at the beginning of each period is multiplied by.
        alpha: the rate at the end of a period, as a share of ``initial_learning_rate``.
        name: the schedule's name.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range.

    Example:
        >>> import pyconv
        >>> rate = pyconv.optimizers.schedules.CosineDecayRestarts(0.1, 10)
        >>> [round(rate(step), 4) for step in (0, 5, 10, 20)]
        [0.1, 0.05, 0.1, 0.05]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str | None = "SGDRDecay",
    ) -> None:
        owner = "CosineDecayRestarts"
        self.initial_learning_rate = float_arg(
            owner, "initial_learning_rate", initial_learning_rate
        )
        self.first_decay_steps = steps_arg(owner, "first_decay_steps", first_decay_steps)
        self.t_mul = float_arg(owner, "t_mul", t_mul, 1.0)
        self.m_mul = float_arg(owner, "m_mul", m_mul)
        self.alpha = float_arg(owner, "alpha", alpha)
        self.name = name

    def __call__(self, step: Any) -> float:
        """Return the rate of a step."""
        share, period = float(step) / float(self.first_decay_steps), 0.0
        if self.t_mul == 1.0:
            period = math.floor(share)
            share -= period
        else:
            period = math.floor(math.log(1 - share * (1 - self.t_mul)) / math.log(self.t_mul))
            before = (1 - self.t_mul**period) / (1 - self.t_mul)
            share = (share - before) / self.t_mul**period
        cosine = 0.5 * self.m_mul**period * (1 + math.cos(math.pi * share))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }
