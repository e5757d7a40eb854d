"""The CUDA backend: the operations of ``_cpu.pyi`` on arrays of the device.

What an operation reads may also be an array of numpy, which is copied to the device; what it writes
is an ``Array``. Operations return before they are done: all work is on one stream, and what copies
to the host waits for it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

class Array:
    """A C-contiguous array of float32, float64, int64, uint8 or bool on a device.

    What numpy asks of arrays is added by ``pyconv/_device_arrays.py``.
    """

    shape: tuple[int, ...]
    ndim: int
    size: int
    nbytes: int
    dtype: np.dtype[Any]
    device: int
    address: int
    name: str
    __cuda_array_interface__: dict[str, Any]  # version 3

    def __len__(self) -> int: ...
    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]: ...
    def __dlpack__(
        self,
        stream: int | None = None,
        max_version: Any = None,
        dl_device: Any = None,
        copy: Any = None,
    ) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def numpy(self) -> NDArray[Any]: ...
    def copy(self) -> Array: ...
    def reshape(self, *shape: Any) -> Array: ...  # without a copy; one extent may be -1
    def rows(self, begin: int, end: int) -> Array: ...  # without a copy
    def take(self, values: Array | NDArray[Any]) -> None: ...  # of the same shape and dtype
    def fill(self, value: float) -> None: ...
    def fetch(self) -> Fetched: ...

class Fetched:
    """A copy on its way to the host; ``numpy`` waits for it."""

    def numpy(self) -> NDArray[Any]: ...

def empty(shape: Sequence[int], dtype: DTypeLike = "float32") -> Array: ...
def zeros(shape: Sequence[int], dtype: DTypeLike = "float32") -> Array: ...
def asarray(values: Any) -> Array: ...
def from_dlpack(source: Any) -> Array: ...

# Arithmetic by the codes of cuda/array_ops.h, with broadcasting; a and b are arrays or numbers.
def arithmetic(code: int, a: Any, b: Any, where: Array | None, out: Array) -> None: ...
def comparison(code: int, a: Any, b: Any, out: Array) -> None: ...

# The elements from offset on, strides elements from one to the next along each axis.
def part(array: Array, offset: int, strides: Sequence[int], shape: Sequence[int]) -> Array: ...
def set_part(
    array: Array, offset: int, strides: Sequence[int], shape: Sequence[int], value: Any
) -> None: ...

# CUDA's answer, the number of devices, and the versions of CUDA that the driver
# (0 without one) and this module are for; and of each device name, bytes, compute capability
def probe() -> tuple[str, int, int, int]: ...
def devices() -> list[tuple[str, int, int, int]]: ...
def set_device(device: int) -> None: ...
def device() -> int: ...
def synchronize() -> None: ...
def set_float32_precision(high: bool) -> None: ...

# in_use, peak and cached bytes; requests; calls of cudaMalloc (mallocs) and cudaFree (frees);
# pinned bytes and pinned_mallocs
def memory_stats() -> dict[str, int]: ...
def trim() -> None: ...  # gives memory that is not in use back to CUDA
def keep_memory(keep: bool) -> None: ...  # as it does but on an emulated device

class Graph:
    """Operations that are recorded once and launched as a whole; not in each build."""

    def begin(self) -> None: ...
    def end(self) -> None: ...
    def abandon(self) -> None: ...  # of a recording that failed
    def launch(self) -> None: ...

# dropout() of a recorded step: the 64 bits of its offset are in place, int64 (1,)
def dropout_at(x: Any, rate: float, seed: int, place: Array, out: Array | None = None) -> Array: ...
