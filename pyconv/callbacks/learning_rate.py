"""Callbacks that set the learning rate: by a schedule, or where a metric stays."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pyconv._args import float_arg, int_arg, verbose_arg
from pyconv._messages import say
from pyconv.callbacks.callback import Callback, Logs
from pyconv.callbacks.monitor import MonitorCallback

if TYPE_CHECKING:
    from pyconv.optimizers.optimizer import Optimizer


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by ``factor`` when a metric has stopped getting better.

    Adds ``learning_rate`` to the logs.

    Args:
        monitor: the metric.
        factor: what the rate is multiplied by, below 1.
        patience: epochs without improvement after which to reduce.
        verbose: 1 to say when it does.
        mode: 'min', 'max', or 'auto' to tell by the metric's name.
        min_delta: smallest change that counts as an improvement.
        cooldown: epochs to let pass after a reduction.
        min_lr: smallest rate.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range, or, when training, the direction of the metric is
            not known.

    Example:
        >>> import pyconv
        >>> pyconv.callbacks.ReduceLROnPlateau(factor=0.5, patience=2).factor
        0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        owner = "ReduceLROnPlateau"
        super().__init__(monitor, mode, min_delta=float_arg(owner, "min_delta", min_delta))
        self.factor = float_arg(owner, "factor", factor)
        if self.factor >= 1.0:
            raise ValueError(
                f"{owner} does not support a factor >= 1.0, factor must be below 1, got {factor}"
            )
        self.patience = int_arg(owner, "patience", patience, 0)
        self.verbose = verbose_arg(owner, verbose)
        self.cooldown = int_arg(owner, "cooldown", cooldown, 0)
        self.min_lr = float_arg(owner, "min_lr", min_lr)
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget earlier runs."""
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare, and reduce the rate where it is time."""
        logs = {} if logs is None else logs
        rates = rates_of(_optimizer(self))
        logs.update((name, float(one.learning_rate)) for name, one in rates.items())
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"Learning rate reduction is conditioned on metric `{self.monitor}` which is not "
                f"available. Available metrics are: {','.join(logs)}.",
                stacklevel=2,
            )
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            large = [one for one in rates.values() if one.learning_rate > self.min_lr]
            if self.wait >= self.patience and large:
                for optimizer in large:
                    self._reduce(optimizer, epoch)
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def _reduce(self, optimizer: "Optimizer", epoch: int) -> None:
        reduced = max(optimizer.learning_rate * self.factor, self.min_lr)
        # The decimals of float32, which kernels take: 0.01, not 0.010000000000000002.
        optimizer.learning_rate = float(str(np.float32(reduced)))
        if self.verbose:
            say(
                f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to "
                f"{optimizer.learning_rate}."
            )


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Adds ``learning_rate`` to the logs.

    Args:
        schedule: ``schedule(epoch, lr)`` or ``schedule(epoch)``, which returns the rate; epochs
            are counted from 0.
        verbose: 1 to say what it sets.

    Raises:
        TypeError: ``schedule`` is not callable, or, when training, returns no number.
        ValueError: when training, the rate is negative or not finite.

    Example:
        >>> import pyconv
        >>> halve = pyconv.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.5)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"LearningRateScheduler: schedule must be callable, got {schedule!r}")
        self.schedule = schedule
        self.verbose = verbose_arg("LearningRateScheduler", verbose)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        for optimizer in rates_of(_optimizer(self)).values():
            rate = (
                self.schedule(epoch, float(optimizer.learning_rate))
                if _takes_two(self.schedule)
                else self.schedule(epoch)
            )
            optimizer.learning_rate = float_arg(
                "LearningRateScheduler", "the schedule's result", rate
            )
            if self.verbose:
                say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the rate to the logs."""
        if logs is not None:
            rates = rates_of(_optimizer(self))
            logs.update((name, float(one.learning_rate)) for name, one in rates.items())


def _optimizer(callback: Callback) -> "Optimizer":
    optimizer = callback.model.optimizer
    if optimizer is None:
        raise ValueError(f"{type(callback).__name__}: the model has no optimizer; compile it first")
    return optimizer


def rates_of(optimizer: "Optimizer") -> dict[str, "Optimizer"]:
    """Return the optimizers that have a learning rate, by its name in logs."""
    parts = getattr(getattr(optimizer, "inner_optimizer", optimizer), "optimizers", None)
    if parts is None:
        return {"learning_rate": optimizer}
    return {f"learning_rate_{part.name}": part for part in parts}


def _takes_two(schedule: Callable[..., float]) -> bool:
    import inspect

    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a built-in function without a signature
        pass
    return True
