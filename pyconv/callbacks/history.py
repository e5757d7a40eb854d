"""The record of each epoch."""

import weakref
from typing import Any

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


class OfModel:
    """What a model keeps of its history: all but the object itself, as that keeps the model.

    A model that nobody needs is then freed at once, and not when Python looks for circles, which
    it does by the number of objects, whatever memory they hold.
    """

    def __init__(self, history: History) -> None:
        self._kind = type(history)
        self._values = {k: v for k, v in vars(history).items() if k != "_model"}
        self._history: weakref.ref[History] | None = weakref.ref(history)

    def get(self, model: Any) -> History:
        """Return the history, made again where nobody has kept it."""
        history = None if self._history is None else self._history()
        if history is None:
            history = self._kind.__new__(self._kind)
            vars(history).update(self._values, _model=model)
            self._history = weakref.ref(history)
        return history

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_history": None}
