"""Evaluating, and leaving in the model, the moving average of the weights."""

from typing import Any

import numpy as np

from pyconv._args import bool_arg
from pyconv.callbacks.callback import Callback, Logs


class SwapEMAWeights(Callback):
    """Puts the optimizer's moving average into the model while it is evaluated or predicts.

    Args:
        swap_on_epoch: whether the average stays in the model from the end of an epoch to the
            beginning of the next, so that callbacks after this one save it.

    Raises:
        ValueError: when training, the optimizer has no ``use_ema``.

    Example:
        >>> import pyconv
        >>> swap = pyconv.callbacks.SwapEMAWeights(swap_on_epoch=True)
        >>> optimizer = pyconv.optimizers.Adam(use_ema=True)
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = bool_arg(type(self).__name__, "swap_on_epoch", swap_on_epoch)
        self._ema_weights_in_model = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Take the average out."""
        if self.swap_on_epoch:
            self._put_in(False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Put the average in."""
        if self.swap_on_epoch:
            self._put_in(True)
            if epoch == self.params.get("epochs", 0) - 1:
                for param, average in self._pairs():
                    average[...] = param

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Put the average in."""
        self._put_in(True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Take the average out."""
        self._put_in(False)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Put the average in."""
        self._put_in(True)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Take the average out."""
        self._put_in(False)

    def _put_in(self, wanted: bool) -> None:
        if self._ema_weights_in_model == wanted:
            return
        for param, average in self._pairs():
            kept = np.array(param)
            param[...] = average
            average[...] = kept
        self._ema_weights_in_model = wanted

    def _pairs(self) -> list[tuple[Any, Any]]:
        optimizer = self.model.optimizer
        if optimizer is None or not optimizer.use_ema:
            raise ValueError(
                "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer"
            )
        return optimizer.averages(self.model._params())
