"""Ctrl-C between steps, never within one."""

import threading
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """While entered, an interrupt (SIGINT) that comes within a step waits for the step's end.

    Weights, optimizer state and metrics then always belong to the same step. A second interrupt
    is not held back. Outside the main thread, or where the program handles SIGINT itself,
    nothing changes.
    """

    def __init__(self) -> None:
        self._in_step = False
        self._waiting = False
        self._previous: Any = None

    def __enter__(self) -> "Interrupts":
        import signal

        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._previous is not None:
            import signal

            signal.signal(signal.SIGINT, self._previous)
            self._previous = None

    def begin_step(self) -> None:
        """Hold interrupts back from here on."""
        self._in_step = True

    def end_step(self) -> None:
        """Let an interrupt through that came since ``begin_step``."""
        self._in_step = False
        if self._waiting:
            self._waiting = False
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._in_step and not self._waiting:
            self._waiting = True
        else:
            self._waiting = False
            raise KeyboardInterrupt
