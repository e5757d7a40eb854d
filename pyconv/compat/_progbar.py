"""``keras.utils.Progbar``: a bar for loops of one's own."""

import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from pyconv._args import float_arg, int_arg
from pyconv.progress import Progress, verbosity


class Progbar:
    """Prints how far a loop is, in the form of the lines of ``fit``.

    Args:
        target: the number of steps, None where it is not known.
        width: has no effect.
        verbose: 0 nothing, 1 a bar, 2 a line at the end.
        interval: seconds between two states of the bar.
        stateful_metrics: names of values that are shown as they are; all others are averaged.
        unit_name: has no effect.
        stateless_metrics: in its place, names of those that are averaged, and no others.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range, or both lists of names are given.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> bar = keras.utils.Progbar(2, verbose=2)
        >>> for loss in (0.5, 0.25):
        ...     bar.add(1, [("loss", loss)])  # doctest: +ELLIPSIS
        2/2 - 0s - .../step - loss: 0.3750
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
        stateless_metrics: Iterable[str] | None = None,
    ) -> None:
        owner = "Progbar"
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                f"{owner}: Only one of `stateful_metrics` and `stateless_metrics` may be given"
            )
        self.target = None if target is None else int_arg(owner, "target", target, 0)
        self.interval = float_arg(owner, "interval", interval)
        self.verbose = verbosity(owner, verbose)
        self._as_they_are = set(stateful_metrics or ())
        self._averaged = None if stateless_metrics is None else set(stateless_metrics)
        self._sums: dict[str, list[float]] = {}
        self._seen = 0
        self._shown = float("-inf")
        self._progress = Progress(self.verbose)
        self._progress.begin(self.target)

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Show that ``current`` steps are done.

        Args:
            current: the number of steps.
            values: pairs of a name and a number, or numbers, which are averaged.
            finalize: whether that is the end; None where ``target`` is reached.
        """
        current = int_arg("Progbar", "current", current, 0)
        steps = max(current - self._seen, 1)
        for name, value in values or ():
            number = float(np.mean(np.asarray(value, np.float64)))
            if self._is_averaged(name):
                total = self._sums.setdefault(name, [0.0, 0.0])
                total[0] += number * steps
                total[1] += steps
            else:
                self._sums[name] = [number, 1.0]
        self._seen = current
        ends = self.target is not None and current >= self.target if finalize is None else finalize
        now = time.perf_counter()
        self._progress._step, self._progress._last = current, now
        if ends:
            self._progress.finish(self._logs())
        elif self.verbose == 1 and now - self._shown >= self.interval:
            self._shown = now
            self._progress._show(self._logs(), final=False)

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Show that ``n`` more steps are done."""
        self.update(self._seen + n, values)

    def _is_averaged(self, name: str) -> bool:
        return name not in self._as_they_are if self._averaged is None else name in self._averaged

    def _logs(self) -> dict[str, float]:
        return {name: total / max(count, 1) for name, (total, count) in self._sums.items()}
