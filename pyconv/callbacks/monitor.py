"""The base of callbacks that watch a metric: the direction in which it is better."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from pyconv._args import float_arg, is_one_of, shown
from pyconv.callbacks.callback import Callback

_SMALLER = ("loss", "error", "entropy", "mse", "mae", "rmse", "hinge")
_LARGER = ("acc", "auc", "precision", "recall", "f1")


class MonitorCallback(Callback):
    """A callback that compares values of a metric.

    Args:
        monitor: the metric.
        mode: 'min', 'max', or 'auto' to tell by the model's metric of that name, or by the name.
        baseline: the value that is to be beaten at first.
        min_delta: smallest change that counts as an improvement.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: when training, the direction of the metric is not known.

    Example:
        >>> import pyconv
        >>> pyconv.callbacks.MonitorCallback("val_accuracy").monitor
        'val_accuracy'
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        owner, any_number = type(self).__name__, (-math.inf, math.inf)
        if not isinstance(monitor, str):
            raise TypeError(f"{owner}: monitor must be the name of a metric, got {monitor!r}")
        if not is_one_of(mode, ("auto", "min", "max")):
            warnings.warn(
                f"{owner} mode {shown(mode)} is unknown, fallback to auto mode; it must be 'auto', "
                "'min' or 'max'",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = (
            None if baseline is None else float_arg(owner, "baseline", baseline, *any_number)
        )
        self.min_delta = abs(float_arg(owner, "min_delta", min_delta, *any_number))
        self.monitor_op: Callable[[Any, Any], Any] | None = None

    @property
    def worst(self) -> float:
        """The value that any other is better than."""
        if self.monitor_op is None:
            self._set_monitor_op()
        return -math.inf if self.monitor_op is np.greater else math.inf

    def _set_monitor_op(self) -> None:
        """Find out which of two values is better."""
        direction = self.mode if self.mode != "auto" else self._direction()
        self.monitor_op = np.greater if direction == "max" else np.less
        self.min_delta = abs(self.min_delta) if direction == "max" else -abs(self.min_delta)

    def _direction(self) -> str:
        name = self.monitor.removeprefix("val_")
        for metric in getattr(self._model, "metrics", ()):
            known = getattr(metric, "_direction", None)
            if metric.name == name and known is not None:
                return "max" if known == "up" else "min"
        if any(part in name for part in _LARGER):
            return "max"
        if any(part in name for part in _SMALLER):
            return "min"
        raise ValueError(
            f"{type(self).__name__}: whether monitor={self.monitor!r} should be small or large is "
            "not known; give mode='min' or mode='max'"
        )

    def _is_improvement(self, value: float, reference: float | None) -> bool:
        """Whether ``value`` is better by more than ``min_delta``; NaN never is."""
        if self.monitor_op is None:
            self._set_monitor_op()
        assert self.monitor_op is not None
        if math.isnan(value):
            return False
        return reference is None or bool(self.monitor_op(value - self.min_delta, reference))
