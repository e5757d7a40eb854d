"""A callback made of functions."""

from collections.abc import Callable
from typing import Any

from pyconv.callbacks.callback import Callback


class LambdaCallback(Callback):
    """Calls functions at events.

    Args:
        on_epoch_begin, on_epoch_end: functions of ``(epoch, logs)``.
        on_train_begin, on_train_end: functions of ``(logs)``.
        on_train_batch_begin, on_train_batch_end: functions of ``(batch, logs)``.
        **kwargs: other events of ``Callback``, such as ``on_test_end``.

    Raises:
        TypeError: what is given for an event is not callable.

    Example:
        >>> import pyconv
        >>> told = []
        >>> callback = pyconv.callbacks.LambdaCallback(
        ...     on_epoch_end=lambda epoch, logs: told.append(logs["loss"])
        ... )
        >>> callback.on_epoch_end(0, {"loss": 0.5})
        >>> told
        [0.5]
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for event, function in given.items():
            if function is None:
                continue
            if hasattr(Callback, event) and not callable(function):
                raise TypeError(f"LambdaCallback: {event} must be callable, got {function!r}")
            setattr(self, event, function)
