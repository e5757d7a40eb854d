"""The progress bar as a callback."""

from collections.abc import Mapping
from typing import Any

from pyconv.callbacks.callback import Callback, Logs
from pyconv.progress import Progress, verbosity


class ProgbarLogger(Callback):
    """Prints the progress of an epoch.

    ``fit`` prints it by itself, and leaves it to this callback where it is given one. In a loop
    of one's own it is what ``CallbackList(add_progbar=True)`` adds.

    Example:
        >>> import pyconv
        >>> bar = pyconv.callbacks.ProgbarLogger()
        >>> bar.set_params({"verbose": 2, "epochs": 1, "steps": 10})
    """

    def __init__(self) -> None:
        super().__init__()
        self._progress = Progress(1)
        self._in_fit = False
        self._step = 0

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Take the parameters of the run."""
        super().set_params(params)
        self._progress = Progress(verbosity("ProgbarLogger", params.get("verbose", 1)))

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Note that evaluations are part of a training."""
        self._in_fit = True

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begin a line."""
        self._begin(epoch, self.params.get("epochs") or 1)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Begin a line."""
        if not self._in_fit:
            self._begin()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Begin a line."""
        self._begin()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Count a step."""
        self._progress.update(0, lambda: logs or {})

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Count a step."""
        if not self._in_fit:
            self._progress.update(0, lambda: logs or {})

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count a step."""
        self._progress.update(0, dict)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """End the line."""
        self._progress.finish(logs or {})

    def on_test_end(self, logs: Logs | None = None) -> None:
        """End the line."""
        if not self._in_fit:
            self._progress.finish(logs or {})

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """End the line."""
        self._progress.finish({})

    def on_train_end(self, logs: Logs | None = None) -> None:
        """End a line that an interruption left open."""
        self._in_fit = False
        self._progress.close()

    def _begin(self, epoch: int = 0, epochs: int = 1) -> None:
        self._progress.begin(self.params.get("steps"), epoch, epochs)
