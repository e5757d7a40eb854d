"""The record of each epoch."""

from pyconv.callbacks.callback import Callback, Logs


class History(Callback):
    """Keeps the metrics of each epoch; ``fit`` returns one.

    ``epoch`` lists the epochs (from 0), ``history[key]`` the values of a metric.

    Example:
        >>> import pyconv
        >>> history = pyconv.callbacks.History()
        >>> history.on_epoch_end(0, {"loss": 2.0})
        >>> history.epoch, history.history
        ([0], {'loss': [2.0]})
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Start a new list of epochs; the history goes on, as Keras's does."""
        self.epoch = []
        self.model.history = self

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the metrics of the epoch."""
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)
