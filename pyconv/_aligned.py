"""numpy arrays that begin where a line of the cache does.

Those of numpy begin where malloc says, large ones 16 bytes into a line: every second vector of 32
bytes, and each of 64, would lie in two lines.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

LINE = 64  # bytes


def empty(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Return an array that is not initialized."""
    return _inside(np.empty, shape, dtype)


def zeros(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Return an array of zeros; large ones take memory when they are written to, as numpy's."""
    return _inside(np.zeros, shape, dtype)


def copy(values: NDArray[Any]) -> NDArray[Any]:
    """Return a C-contiguous copy."""
    made = empty(values.shape, values.dtype)
    made[...] = values
    return made


def _inside(
    make: Callable[..., NDArray[Any]], shape: tuple[int, ...], dtype: DTypeLike
) -> NDArray[Any]:
    kind = np.dtype(dtype)
    memory = make(math.prod(shape) * kind.itemsize + LINE, np.uint8)
    start = -memory.__array_interface__["data"][0] % LINE
    array: NDArray[Any] = np.ndarray(shape, kind, memory, start)
    return array
