"""The list that calls callbacks."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pyconv._args import bool_arg
from pyconv.callbacks.callback import Callback, Logs
from pyconv.callbacks.history import History

if TYPE_CHECKING:
    from pyconv.models import Sequential

_OLD_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class CallbackList(Callback):
    """Calls each callback, in order.

    Args:
        callbacks: None, a callback, or a list of them, of lists too.
        add_history: whether to add a ``History`` where there is none.
        add_progbar: whether to add a ``ProgbarLogger`` where there is none.
        model: what they are told to be the model.
        **params: what they are told of the run, such as ``epochs``, ``steps`` and ``verbose``.

    Raises:
        TypeError: something in the list is not a callback.

    Example:
        >>> import pyconv
        >>> history = pyconv.callbacks.History()
        >>> callbacks = pyconv.callbacks.CallbackList([history])
        >>> callbacks.on_epoch_end(0, {"loss": 0.5})
        >>> history.history
        {'loss': [0.5]}
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: "Sequential | None" = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Callback] = [] if callbacks is None else list(_flat(callbacks))
        if bool_arg("CallbackList", "add_history", add_history) and not self._has(History):
            self.callbacks.append(History())
        if bool_arg("CallbackList", "add_progbar", add_progbar):
            from pyconv.callbacks.progbar_logger import ProgbarLogger

            if not self._has(ProgbarLogger):
                self.callbacks.append(ProgbarLogger())
        if params:
            self.set_params(params)
        if model is not None:
            self.set_model(model)

    def append(self, callback: Callback) -> None:
        """Put a callback at the end."""
        self.callbacks.extend(_flat(callback))

    def set_params(self, params: Any) -> None:
        """Tell each callback the parameters of the run."""
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: "Sequential") -> None:
        """Tell each callback the model."""
        super().set_model(model)
        for callback in self.callbacks:
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

    def _has(self, kind: type[Callback]) -> bool:
        return any(isinstance(callback, kind) for callback in self.callbacks)


def _flat(callbacks: Any) -> Iterator[Callback]:
    if isinstance(callbacks, CallbackList):
        yield from callbacks.callbacks
    elif isinstance(callbacks, (list, tuple)):
        for callback in callbacks:
            yield from _flat(callback)
    elif isinstance(callbacks, Callback):
        yield callbacks
    else:
        hint = f"; give an instance: {callbacks.__name__}()" if isinstance(callbacks, type) else ""
        raise TypeError(f"callbacks must be Callback objects, got {callbacks!r}{hint}")


def _of_all(event: str) -> Callable[..., None]:
    """Return the method of a list that calls that of each callback."""
    if "batch" in event or "epoch" in event:

        def method(self: CallbackList, index: int, logs: Logs | None = None) -> None:
            self.call(event, index, logs)
    else:

        def method(self: CallbackList, logs: Logs | None = None) -> None:  # type: ignore[misc]
            self.call(event, logs)

    method.__name__ = event
    method.__doc__ = getattr(Callback, event).__doc__
    return method


for _event in [name for name in vars(Callback) if name.startswith("on_")]:
    setattr(CallbackList, _event, _of_all(_event))
