"""The base of every callback."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyconv.models import Sequential

Logs = dict[str, float]


class Callback:
    """Something that is called while a model is trained, evaluated or predicted with.

    Override the methods of the events that matter. ``self.model`` is the model, and
    ``self.params`` holds ``epochs``, ``steps``, ``verbose`` and ``do_validation``. Epochs and
    batches are counted from 0. What is written into the logs of ``on_epoch_end`` is seen by the
    callbacks that follow, by the progress line and by the history.

    Example:
        >>> import pyconv
        >>> class StopAtLoss(pyconv.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.model.stop_training = logs["loss"] < 0.1
    """

    # Of the class, so that a subclass need not call super().__init__().
    params: Mapping[str, Any] = {}
    _model: "Sequential | None" = None

    @property
    def model(self) -> "Sequential":
        """The model; set before the first event."""
        if self._model is None:
            raise RuntimeError(f"{type(self).__name__}: model is not known before fit begins")
        return self._model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Take the parameters of the run."""
        self.params = params

    def set_model(self, model: "Sequential") -> None:
        """Take the model."""
        self._model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called after the last epoch, also where training was interrupted or failed."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after an epoch and its validation, with all metrics."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training step."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training step, with the means of the epoch so far."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Old name of ``on_train_batch_begin``, called where that one is not defined."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Old name of ``on_train_batch_end``, called where that one is not defined."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before an evaluation or a validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after an evaluation or a validation, with its metrics."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch is evaluated."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch is evaluated, with the means so far."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch is predicted."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch is predicted."""
