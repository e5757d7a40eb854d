"""The machine's limits, measured once: the least time that a piece of work can take.

Williams, Waterman and Patterson, "Roofline: an insightful visual performance model", 2009.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from pyconv import backend

_SMALLEST, _LARGEST = 2**20, 2**27


def peak_flops() -> float:
    """Float operations a second of all threads together, a multiply-add counted as two."""
    return _peak_flops(*_setting())


def bandwidth(size: int) -> float:
    """Bytes a second that all threads read and write where together they touch ``size`` bytes.

    What fits into a cache moves faster. Below 1 MiB it is that of 1 MiB, above 128 MiB that of
    the main memory.
    """
    power = min(max(size, _SMALLEST), _LARGEST).bit_length() - 1
    return _bandwidth(2**power, *_setting())


def least_seconds(flops: float, moved: int) -> float:
    """Return the time that the slower of arithmetic and memory traffic needs at the limits."""
    return max(flops / peak_flops(), moved / bandwidth(moved) if moved else 0.0)


def _setting() -> tuple[str, int]:
    return backend.active.isa(), backend.active.get_num_threads()


@lru_cache(maxsize=64)
def _peak_flops(isa: str, threads: int) -> float:
    rounds = 200_000
    seconds = _fastest(lambda: backend.active.peak_arithmetic(rounds))
    return backend.active.peak_arithmetic(rounds) / seconds


@lru_cache(maxsize=256)
def _bandwidth(size: int, isa: str, threads: int) -> float:
    # In place: what is written elsewhere is read into the cache first, which would not count.
    a, b = (np.ones(size // 8, np.float32) for _ in range(2))
    seconds = _fastest(lambda: backend.active.peak_triad(a, b, b))
    return 3 * a.nbytes / seconds


def _fastest(call: Callable[[], Any], budget: float = 0.03) -> float:
    call()
    seconds: list[float] = []
    while len(seconds) < 3 or sum(seconds) < budget:
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)
