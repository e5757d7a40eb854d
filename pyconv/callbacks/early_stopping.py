"""Stopping when a metric no longer gets better."""

import warnings
from typing import Any

from pyconv._args import bool_arg, float_arg, int_arg, verbose_arg
from pyconv._messages import say
from pyconv.callbacks.callback import Logs
from pyconv.callbacks.monitor import MonitorCallback


class EarlyStopping(MonitorCallback):
    """Stops training when a metric has not improved for ``patience`` epochs.

    Args:
        monitor: the metric.
        min_delta: smallest change that counts as an improvement.
        patience: epochs without improvement after which to stop; the first epoch never stops.
        verbose: 1 to say when it stops.
        mode: 'min', 'max', or 'auto' to tell by the metric's name.
        baseline: what the metric must beat for the waiting to start anew.
        restore_best_weights: whether to leave the weights of the best epoch in the model.
        start_from_epoch: epochs to let pass before watching.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range, or, when training, the direction of the metric is
            not known.

    Example:
        >>> import pyconv
        >>> stop = pyconv.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
        >>> stop.monitor
        'val_loss'
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        owner = "EarlyStopping"
        any_number = -float("inf"), float("inf")
        self.patience = int_arg(owner, "patience", patience, 0)
        self.verbose = verbose_arg(owner, verbose)
        self.baseline = (
            None if baseline is None else float_arg(owner, "baseline", baseline, *any_number)
        )
        self.restore_best_weights = bool_arg(owner, "restore_best_weights", restore_best_weights)
        self.start_from_epoch = int_arg(owner, "start_from_epoch", start_from_epoch, 0)
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget earlier runs."""
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: Any = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare, and stop where it is time."""
        if self.monitor_op is None:
            self._set_monitor_op()
        current = (logs or {}).get(self.monitor)
        if current is None:
            warnings.warn(
                f"Early stopping conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs or {})}",
                stacklevel=2,
            )
            return
        if epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best = current
            self._keep(epoch)
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Put the best weights back where asked to."""
        if self.stopped_epoch > 0 and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                say(
                    "Restoring model weights from the end of the best epoch: "
                    f"{self.best_epoch + 1}."
                )
            self.model.set_weights(self.best_weights)

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
