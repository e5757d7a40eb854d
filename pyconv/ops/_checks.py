"""Checks of arrays and shapes that the functional API shares."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import (
    Pads,
    int_arg,
    padding_arg,
    pair_arg,
    resolve_padding,
    shown,
    window_output_size,
)
from pyconv._types import Array

Padding = tuple[int, int, int, int]


def float32(owner: str, name: str, value: Any, ndim: int | None = None) -> Array:
    """Return ``value``, a float32 array of ``ndim`` dimensions, as a plain array.

    It is numpy's, or one on the device that operations run on.
    """
    if not isinstance(value, np.ndarray) and not backend.is_here(value):
        raise TypeError(
            f"{owner}: {name} must be a float32 array, got a {type(value).__name__}; convert it "
            f'with np.asarray({name}, "float32")'
        )
    array = np.asarray(value) if isinstance(value, np.ndarray) else value
    if array.dtype != np.float32:
        raise TypeError(
            f"{owner}: {name} must be a float32 array, got a {array.dtype!s:.60} array; convert "
            f'it with {name}.astype("float32")'
        )
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{owner}: {name} must have {ndim} dimensions, got shape {array.shape}")
    return array


def image(owner: str, name: str, value: Any) -> Array:
    """Return ``value``, (N, H, W, C) with at least one pixel and one channel."""
    array = float32(owner, name, value, 4)
    if 0 in array.shape[1:]:
        raise ValueError(
            f"{owner}: {name} must be (N, H, W, C) with at least one pixel and one channel, got "
            f"{array.shape}"
        )
    return array


def image_shape(owner: str, name: str, value: Any) -> tuple[int, int, int, int]:
    """Return ``value``, a shape (N, H, W, C), as a tuple of ints."""
    if not isinstance(value, (tuple, list)) or len(value) != 4:
        raise (ValueError if isinstance(value, (tuple, list)) else TypeError)(
            f"{owner}: {name} must be (N, H, W, C), got {shown(value)}"
        )
    n, h, w, c = (
        int_arg(owner, f"{name}[{i}]", v, 0 if i == 0 else 1) for i, v in enumerate(value)
    )
    return n, h, w, c


def windows(
    owner: str,
    size: tuple[int, int],
    kernel: tuple[int, int],
    strides: Any,
    padding: Any,
    dilation: Any = 1,
) -> tuple[tuple[int, int], Padding, tuple[int, int]]:
    """Return (strides, padding of the four sides, dilation), for windows that fit."""
    steps = pair_arg(owner, "strides", strides)
    spread = pair_arg(owner, "dilation", dilation)
    given: str | Pads = padding_arg(owner, padding)
    pads = resolve_padding(given, size, kernel, steps, spread)
    window_output_size(owner, size, kernel, steps, pads, spread)
    return steps, pads, spread
