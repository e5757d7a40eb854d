"""Memory that layers keep: limits, and buffers that are used again at every step."""

import contextlib
import math
import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pyconv import _aligned, backend


def check_fits(owner: str, name: str, shape: tuple[int, ...], itemsize: int = 4) -> None:
    """Raise a ValueError where an array would take more than half of the machine's memory.

    The system may grant such memory, and end the process when it is written to.
    """
    size = math.prod(shape) * itemsize
    if size > _most():
        raise ValueError(
            f"{owner}: {name} of shape {shape} would take {size / 2**20:,.0f} MiB, more than half "
            "of this machine's memory"
        )


_left: ContextVar[list[int] | None] = ContextVar("left", default=None)


@contextlib.contextmanager
def at_most(numbers: int) -> Iterator[None]:
    """Within, weights of far more numbers than these together are an error: no file holds them.

    Layers of the user's own may make theirs several times.
    """
    token = _left.set([4 * numbers + 2**18])
    try:
        yield
    finally:
        _left.reset(token)


def spend(owner: str, name: str, shape: tuple[int, ...]) -> None:
    """Count the numbers of a weight; ValueError where they are more than ``at_most`` allows."""
    left = _left.get()
    if left is None:
        return
    left[0] -= math.prod(shape)
    if left[0] < 0:
        raise ValueError(f"{owner}: the file has no numbers for {name} of shape {shape}")


def _most() -> float:
    try:
        return 0.5 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return math.inf


# How often a buffer gave its memory up for more: a CUDA graph works on what was there.
outgrown = 0


class Buffers:
    """Arrays by name that grow with the largest shape asked for and never shrink.

    Fresh arrays would cost page faults at every training step. A smaller batch takes the
    leading part of the same memory.

    Args:
        owner: what errors name.
        on_host: whether the arrays are numpy's, wherever operations run.
    """

    def __init__(self, owner: str, on_host: bool = False) -> None:
        self._owner = owner
        self._on_host = on_host
        self._memory: dict[str, NDArray[Any]] = {}
        self._views: dict[str, NDArray[Any]] = {}
        if not on_host:
            backend.buffers.add(self)

    def __reduce__(self) -> Any:
        # A copy of a layer begins with buffers of its own.
        return Buffers, (self._owner, self._on_host)

    def clear(self) -> None:
        """Drop all arrays."""
        self._memory.clear()
        self._views.clear()

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays with the shapes that were asked for last."""
        return sum(view.nbytes for view in self._views.values())

    def get(self, name: str, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> Any:
        """Return the array ``name`` with this shape; what it holds is left to the caller."""
        view = self._views.get(name)
        if view is None or view.shape != shape:
            view = self._views[name] = self._view(name, shape, dtype)
        return view

    def _view(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        size = math.prod(shape)
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            if self._on_host or backend.active is backend.cpu:
                check_fits(self._owner, name, shape, np.dtype(dtype).itemsize)
            if memory is not None:
                global outgrown
                outgrown += 1
            # The old memory goes first, so that the two are never held together.
            del memory
            self._memory.pop(name, None)
            self._views.pop(name, None)
            empty = _aligned.empty if self._on_host else backend.empty
            memory = self._memory[name] = empty((size,), dtype)
        return memory[:size].reshape(shape)
