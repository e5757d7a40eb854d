"""Axes of channels, and arrays that have them last, as kernels take them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import int_arg, shown
from pyconv._types import Array, Shape


def axes_arg(owner: str, value: Any) -> list[int]:
    """Return ``value``, an axis or a list of axes, as a list."""
    given = value if isinstance(value, (list, tuple)) else [value]
    if not all(hasattr(one, "__index__") for one in given):
        raise TypeError(
            f"{owner}: Expected an int or a list/tuple of ints for the argument 'axis', got "
            f"{shown(value)}"
        )
    return [int_arg(owner, "axis", one, -32, 32) for one in given]


def several_axes(owner: str, axes: Sequence[int], shape: Shape) -> tuple[int, ...]:
    """Return axes from 0, sorted, where an input of ``shape`` has each, known and not the batch."""
    found = sorted({channel_axis(owner, axis, shape) for axis in axes})
    if len(found) < len(axes):
        raise ValueError(f"{owner}: axis must name each axis once, got {list(axes)}")
    return tuple(found)


def channel_axis(owner: str, axis: int, shape: Shape) -> int:
    """Return ``axis`` from 0, where an input of ``shape`` has it, known and not the batch."""
    rank = len(shape)
    if not -rank <= axis < rank or axis % rank == 0:
        raise ValueError(
            f"{owner}: Axis {axis} is out of bounds for input shape {tuple(shape)}, or the batch's"
        )
    if shape[axis] is None:
        raise ValueError(
            f"{owner}: the size of axis {axis} must be known, got {tuple(shape)}. The axis of the "
            "input tensor should have a defined dimension but the layer received an input with "
            f"shape {tuple(shape)}."
        )
    return axis % rank


def channels_last(x: Any, axis: int) -> Array:
    """Return ``x`` with ``axis`` moved to the end: itself, or a copy."""
    if axis in (-1, x.ndim - 1):
        return x  # type: ignore[no-any-return]
    return backend.float32(np.moveaxis(x, axis, -1))  # type: ignore[no-any-return]
