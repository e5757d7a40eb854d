"""Axes of channels, and arrays that have them last, as kernels take them."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._types import Array, Shape


def channel_axis(owner: str, axis: int, shape: Shape) -> int:
    """Return ``axis`` from 0, where an input of ``shape`` has it, known and not the batch."""
    rank = len(shape)
    if not -rank <= axis < rank or axis % rank == 0:
        raise ValueError(
            f"{owner}: Axis {axis} is out of bounds for input shape {tuple(shape)}, or the batch's"
        )
    if shape[axis] is None:
        raise ValueError(f"{owner}: the size of axis {axis} must be known, got {tuple(shape)}")
    return axis % rank


def channels_last(x: Any, axis: int) -> Array:
    """Return ``x`` with ``axis`` moved to the end: itself, or a copy."""
    if axis in (-1, x.ndim - 1):
        return x  # type: ignore[no-any-return]
    return backend.float32(np.moveaxis(x, axis, -1))  # type: ignore[no-any-return]
