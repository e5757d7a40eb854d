"""The lines that fit, evaluate and predict print, in Keras's forms."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import numpy as np

from pyconv._messages import is_interactive_logging_enabled, say

Logs = Mapping[str, float]

BAR_WIDTH = 20
# Seconds between two states of the bar on a terminal, and between two lines elsewhere.
REFRESH = 0.05
REFRESH_IN_FILE = 5.0


def verbosity(owner: str, verbose: Any) -> int:
    """Return 0, 1 or 2; 'auto' is 1.

    Raises:
        ValueError: ``verbose`` is none of these.
    """
    if isinstance(verbose, str) and verbose == "auto":
        return 1
    if not isinstance(verbose, int) or verbose not in (0, 1, 2):
        raise ValueError(f"{owner}: verbose must be 'auto', 0, 1 or 2, got {verbose!r}")
    return int(verbose)


class Progress:
    """Prints how far an epoch is: verbose 1 a bar, 2 a line an epoch, 0 nothing.

    Seconds are those since ``begin``; the time of a step and the images a second are those of
    the steps alone, without the validation that follows them.
    """

    def __init__(self, verbose: int, stream: TextIO | None = None) -> None:
        self._verbose = verbose
        self._stream = stream
        self._open = False

    def begin(self, steps: int | None, epoch: int = 0, epochs: int = 1) -> None:
        """Start an epoch of so many steps (None: not known)."""
        if self._verbose and epochs > 1:
            self._write(f"Epoch {epoch + 1}/{epochs}\n")
        self._steps = steps
        self._step = self._images = 0
        self._start = self._last = self._shown = time.perf_counter()
        self._width = 0
        self._live = self._verbose == 1 and not self._logged() and _overwrites(self._out())
        self._refresh = REFRESH if self._live else REFRESH_IN_FILE

    def update(self, images: int, logs: Callable[[], Logs], steps: int = 1) -> None:
        """Count steps; show them where it is time."""
        self._step += steps
        self._images += images
        self._last = time.perf_counter()
        if self._verbose == 1 and self._last - self._shown >= self._refresh:
            self._shown = self._last
            self._show(logs(), final=False)

    def finish(self, logs: Logs) -> None:
        """End the epoch with its last line."""
        if self._verbose == 1:
            self._show(logs, final=True)
        elif self._verbose == 2:
            count = self._count(self._step if self._steps is None else self._steps)
            elapsed = time.perf_counter() - self._start
            step = format_step_time(self._step_time())
            self._write(f"{count} - {elapsed:.0f}s - {step}{format_logs(logs)}\n")
        self._open = False

    def close(self) -> None:
        """End a line that an interruption left open."""
        if self._open:
            self._write("\n")
            self._open = False

    def _show(self, logs: Logs, final: bool) -> None:
        steps = self._step if self._steps is None and final else self._steps
        elapsed = time.perf_counter() - self._start
        per_step = self._step_time()
        if steps is None or final:
            clock = f"{elapsed:.0f}s"
        else:
            clock = format_time_left(per_step * (steps - self._step))
        rate = self._images / max(self._last - self._start, 1e-9)
        count = f"{self._step:7d}/Unknown" if steps is None else self._count(steps)
        speed = f" {rate:.0f} images/s" if self._images else ""
        text = f"{format_step_time(per_step)}{speed}{format_logs(logs)}"
        if not self._live:
            bar = "" if steps is None else _bar(self._step, steps, self._out(), colour=False)
            self._write(f"{count} {bar}{clock} {text}\n")
            return
        bar = "" if steps is None else _bar(self._step, steps, self._out(), colour=True)
        shown = len(count) + 1 + (BAR_WIDTH + 1 if bar else 0) + len(clock) + 1
        if not final:
            # A line that wraps could not be written over.
            text = text[: max(_columns() - 1 - shown, 0)]
        width = shown + len(text)
        blank = " " * (self._width - width)
        self._width = width
        end = "\n" if final else ""
        # Open from before the first character: an interrupt may come while it is written.
        self._open = True
        self._write(f"\r\x1b[1m{count}\x1b[0m {bar}\x1b[1m{clock}\x1b[0m {text}{blank}{end}")
        self._open = not final

    def _count(self, steps: int) -> str:
        return f"{self._step:{len(str(steps))}d}/{steps}"

    def _step_time(self) -> float:
        return (self._last - self._start) / max(self._step, 1)

    def _out(self) -> TextIO | None:
        # Looked up at each use: notebooks and tests replace sys.stdout.
        return sys.stdout if self._stream is None else self._stream

    def _logged(self) -> bool:
        return self._stream is None and not is_interactive_logging_enabled()

    def _write(self, text: str) -> None:
        if self._logged():
            if text.strip():
                say(text.rstrip("\n"))
            return
        out = self._out()
        if out is not None:
            out.write(text)
            out.flush()


def format_logs(logs: Logs) -> str:
    """Return `` - key: value`` of each metric, keys in alphabetical order."""
    parts = []
    for key in sorted(logs):
        value = logs[key]
        if getattr(value, "ndim", 0):
            parts.append(f" - {key}: {np.array2string(np.asarray(value), precision=4)}")
            continue
        parts.append(f" - {key}: {value:.4f}" if abs(value) > 1e-3 else f" - {key}: {value:.4e}")
    return "".join(parts)


def format_step_time(seconds: float) -> str:
    """Return ``2s/step``, ``33ms/step`` or ``250us/step``."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/step"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/step"
    return f"{seconds * 1e6:.0f}us/step"


def format_time_left(seconds: float) -> str:
    """Return ``12s``, ``2:05`` or ``1:00:09``."""
    whole = int(seconds)
    if whole > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    if whole > 60:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole}s"


def _bar(step: int, steps: int, out: TextIO | None, colour: bool) -> str:
    done = BAR_WIDTH * min(step, steps) // max(steps, 1)
    full, rest = ("━", "━") if _writes("━", out) else ("=", "-")
    if colour:
        head = f"\x1b[32m{full * done}\x1b[0m" if done else ""
        return f"{head}\x1b[37m{rest * (BAR_WIDTH - done)}\x1b[0m "
    # Without colour, the part that is left needs another sign.
    return f"{full * done}{'-' * (BAR_WIDTH - done)} "


def _writes(text: str, out: TextIO | None) -> bool:
    try:
        text.encode(getattr(out, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _overwrites(out: TextIO | None) -> bool:
    """Whether a line can be written over: on a terminal or in a notebook."""
    if out is None:
        return False
    return bool(getattr(out, "isatty", bool)()) or "ipykernel" in sys.modules


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size((160, 24)).columns
