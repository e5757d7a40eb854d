"""What the machine can do at most, as measured by loops that do nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from pyconv._types import Array

FOOTPRINTS = [3 * 2**k for k in (18, 20, 22, 23, 24, 25, 27)]  # bytes of the three arrays together


@dataclass
class Limits:
    """The measured peak.

    Args:
        flops: multiplications and additions a second, of independent chains in registers on all
            threads, on the active instruction set.
        bandwidth: (bytes of the arrays, bytes a second) of ``y = a + b / 2`` or of ``max(a, 0)``,
            whichever is faster, small to large: what the caches give, then what memory gives.
    """

    flops: float
    bandwidth: list[tuple[int, float]]

    def bandwidth_of(self, size: float) -> float:
        """Return the bytes a second that arrays of so many bytes together can be moved at."""
        sizes, rates = zip(*self.bandwidth, strict=True)
        return float(np.exp(np.interp(np.log(max(size, 1)), np.log(sizes), np.log(rates))))

    def seconds(self, flops: float, size: float, footprint: float) -> float:
        """Return the least time for so much arithmetic on so many bytes of arrays so large."""
        return max(flops / self.flops, size / self.bandwidth_of(footprint))


def measured(footprints: Sequence[int] = FOOTPRINTS) -> Limits:
    """Measure this machine with the active instruction set and number of threads.

    Args:
        footprints: sizes of the arrays to measure the bandwidth with, ascending.
    """
    from pyconv import backend

    active: Any = backend.active
    finish = (lambda: None) if active is backend.cpu else active.synchronize
    rounds, rates = 1_000_000, []
    for _ in range(12):
        start = perf_counter()
        operations = active.peak_arithmetic(rounds)
        finish()
        rates.append(operations / (perf_counter() - start))
    bandwidth = []
    for size in footprints:
        a, b, y = map(backend.on_device, _arrays(3, size // 12))
        c, d = map(backend.on_device, _arrays(2, size // 8))
        repeats = max(5, min(200, 2**27 // size))
        best = min(
            _fastest(partial(active.peak_triad, a, b, y), repeats, finish),
            _fastest(partial(active.relu_forward, c, d), repeats, finish),
        )
        bandwidth.append((size, size / best))
    return Limits(max(rates), bandwidth)


def _fastest(call: Callable[[], object], repeats: int, finish: Callable[[], None]) -> float:
    times = []
    for _ in range(repeats):
        start = perf_counter()
        call()
        finish()
        times.append(perf_counter() - start)
    return min(times)


def _arrays(count: int, size: int) -> list[Array]:
    """Return arrays that begin at cache lines, each at another place of its page.

    Loads from the place of a page that a store has just gone to wait for it.
    """
    line, stagger = 16, 272
    whole = np.ones(count * (size + stagger) + 1024, np.float32)
    start = -whole.ctypes.data // 4 % 1024
    found = []
    for _ in range(count):
        found.append(whole[start : start + size])
        start += -(-size // line) * line + stagger
    return found
