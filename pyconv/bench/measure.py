"""Times of a case by every peer, in interleaved rounds, and their errors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pyconv._types import Array
from pyconv.bench.cases import Case
from pyconv.bench.peers import UnsupportedError
from pyconv.bench.processes import Process, WorkerDied, WorkerError


@dataclass
class Timing:
    """Seconds of a run of one peer.

    Args:
        variant: the setting that was its fastest.
        seconds: one entry a run.
        error: largest error against float64, relative to the largest value; None if unknown.
    """

    variant: str
    seconds: list[float] = field(default_factory=list)
    error: float | None = None

    @property
    def median(self) -> float:
        """Median of the seconds."""
        return float(np.median(self.seconds))

    @property
    def quartiles(self) -> tuple[float, float]:
        """First and third quartile of the seconds."""
        low, high = np.percentile(self.seconds, (25, 75))
        return float(low), float(high)


@dataclass
class Measurement:
    """A case and what was measured of it, by peer."""

    case: Case
    timings: dict[str, Timing] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def measure(
    case: Case,
    processes: Iterable[Process],
    rounds: int,
    seconds: float,
    reference: Sequence[Array] | None = None,
    variants: dict[str, str] | None = None,
) -> Measurement:
    """Time a case: each round lets every peer run for so many seconds, one after the other.

    What drifts (clock, temperature, neighbours) hits all peers alike. A peer that fails is noted
    and left out.

    Args:
        case: what to run.
        processes: the peers; one that died is closed, and closed ones are left out.
        rounds: how often each peer's turn comes.
        seconds: length of a turn.
        reference: the exact results, float64.
        variants: the setting to take, by peer, in place of the fastest.
    """
    found = Measurement(case)
    running = [p for p in processes if not p.closed]
    try:
        for process in list(running):
            if not _prepare(process, found, reference, variants or {}):
                running.remove(process)
        for turn in range(rounds):
            shift = turn % max(len(running), 1)
            for process in running[shift:] + running[:shift]:
                try:
                    found.timings[process.name].seconds += process.ask("time", seconds, 1)
                except WorkerError as error:
                    _fail(process, found, error)
                    running.remove(process)
    finally:
        for name in [name for name, timing in found.timings.items() if not timing.seconds]:
            del found.timings[name]
    for process in running:
        try:
            process.ask("release")
        except WorkerError as error:
            _fail(process, found, error)
    return found


def relative_error(results: Sequence[Array], reference: Sequence[Array]) -> float:
    """Return the largest error, relative to the largest value of the same array."""
    worst = 0.0
    for result, exact in zip(results, reference, strict=True):
        scale = float(np.abs(exact).max()) or 1.0
        worst = max(worst, float(np.abs(result - exact).max()) / scale)
    return worst


def _prepare(
    process: Process,
    found: Measurement,
    reference: Sequence[Array] | None,
    variants: dict[str, str],
) -> bool:
    try:
        timing = Timing(process.ask("prepare", found.case, variants.get(process.name)))
        if reference is not None:
            timing.error = relative_error(process.ask("result"), reference)
        found.timings[process.name] = timing
        return True
    except UnsupportedError:
        return False
    except WorkerError as error:
        _fail(process, found, error)
        return False


def _fail(process: Process, found: Measurement, error: WorkerError) -> None:
    found.notes[process.name] = str(error)
    if isinstance(error, WorkerDied):
        process.close()
