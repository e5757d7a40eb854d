"""The base of every callback, and the list that calls them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyconv.models import Sequential

Logs = dict[str, float]

_OLD_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


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


class CallbackList:
    """Calls each callback, in order.

    Args:
        callbacks: None, a callback, or a list of them.
        model: what they are told to be the model.
        params: what they are told of the run.

    Raises:
        TypeError: something in the list is not a callback.

    Example:
        >>> import pyconv
        >>> history = pyconv.callbacks.History()
        >>> pyconv.callbacks.CallbackList([history]).callbacks == [history]
        True
    """

    def __init__(
        self,
        callbacks: Any = None,
        model: "Sequential | None" = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(callbacks, CallbackList):
            callbacks = callbacks.callbacks
        if callbacks is None:
            callbacks = []
        elif not isinstance(callbacks, (list, tuple)):
            callbacks = [callbacks]
        for callback in callbacks:
            if not isinstance(callback, Callback):
                hint = (
                    f"; give an instance: {callback.__name__}()"
                    if isinstance(callback, type)
                    else ""
                )
                raise TypeError(f"callbacks must be Callback objects, got {callback!r}{hint}")
        self.callbacks: list[Callback] = list(callbacks)
        for callback in self.callbacks:
            if params is not None:
                callback.set_params(params)
            if model is not None:
                callback.set_model(model)

    def listeners(self, event: str) -> list[Callable[..., None]]:
        """Return the methods of that name which are not the base's empty one."""
        found = []
        for callback in self.callbacks:
            for name in (event, _OLD_NAMES.get(event, event)):
                if getattr(type(callback), name) is not getattr(Callback, name) or name in vars(
                    callback
                ):
                    found.append(getattr(callback, name))
                    break
        return found

    def call(self, event: str, *args: Any) -> None:
        """Call the method of that name of each callback."""
        for listener in self.listeners(event):
            listener(*args)

    def call_all(self, event: str, *args: Any) -> None:
        """Call each, also where one fails; the first error is raised after the last call."""
        failure: BaseException | None = None
        for listener in self.listeners(event):
            try:
                listener(*args)
            except BaseException as error:
                failure = failure or error
        if failure is not None:
            raise failure
