"""The lines that Keras 2.0 printed."""

import time

from pyconv.progress import Logs, Progress, _columns

BAR_WIDTH = 30


class OldProgress(Progress):
    """Keras 2.0's bar, which counts samples, and its lines: ``46s - loss: 1.6192 - acc: 0.4140``.

    Args:
        verbose: 0, 1 or 2, as for ``Progress``.
        samples: rows of an epoch; None to count batches.
        title: what fit prints before the first epoch; None where it is not fit that runs.
    """

    def __init__(self, verbose: int, samples: int | None, title: str | None = None) -> None:
        super().__init__(verbose)
        self._samples = samples
        self._title = title

    def begin(self, steps: int | None, epoch: int = 0, epochs: int = 1) -> None:
        """Start an epoch of so many steps (None: not known)."""
        if self._verbose and self._title is not None:
            self._write(f"{self._title}Epoch {epoch + 1}/{epochs}\n")
            self._title = ""
        super().begin(steps)

    def finish(self, logs: Logs) -> None:
        """End the epoch with its last line."""
        if self._verbose == 2:
            self._write(f"{time.perf_counter() - self._start:.0f}s{_shown(logs)}\n")
        else:
            super().finish(logs)
        self._open = False

    def _show(self, logs: Logs, final: bool) -> None:
        done = self._step if self._samples is None else self._images
        target = self._steps if self._samples is None else self._samples
        if target is None:
            text = f"{done:7d}/Unknown"
        else:
            text = f"{done:{len(str(target))}d}/{target} {_bar(min(done / max(target, 1), 1.0))}"
        elapsed = time.perf_counter() - self._start
        if final or target is None:
            text += f" - {elapsed:.0f}s"
        else:
            left = elapsed / max(done, 1) * (target - done)
            text += f" - ETA: {left:.0f}s"
        text += _shown(logs)
        if not self._live:
            self._write(text + "\n")
            return
        if not final:
            text = text[: max(_columns() - 1, 0)]
        blank = " " * (self._width - len(text))
        self._width = len(text)
        self._open = True
        self._write(f"\r{text}{blank}" + "\n" * final)
        self._open = not final


def _bar(share: float) -> str:
    width = int(BAR_WIDTH * share)
    head = "=" * (width - 1) + ("=" if share == 1 else ">") if width else ""
    return f"[{head}{'.' * (BAR_WIDTH - width)}]"


def _shown(logs: Logs) -> str:
    """Return `` - key: value`` of each metric, in the order of the logs."""
    return "".join(
        f" - {key}: {value:.4f}" if abs(value) > 1e-3 else f" - {key}: {value:.4e}"
        for key, value in logs.items()
    )
