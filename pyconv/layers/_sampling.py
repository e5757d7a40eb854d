"""Images read at any places, each pixel with a place of its own; with numpy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array


def sampled(
    images: Array,
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    interpolation: str,
    fill_mode: str,
    fill_value: float,
) -> Array:
    """Return (N, h, w, C): the values of images (N, H, W, C) at rows and columns (N, h, w).

    Args:
        images: the images.
        rows: places between the centres of the cells.
        columns: the same.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode: ``"constant"``, ``"nearest"``, ``"wrap"``, ``"mirror"`` or ``"reflect"``.
        fill_value: what lies outside for ``"constant"``.
    """
    if interpolation == "nearest":
        places = np.rint(rows).astype(np.int64), np.rint(columns).astype(np.int64)
        return _cells(images, *places, fill_mode, fill_value)
    top, left = np.floor(rows), np.floor(columns)
    down = np.asarray(rows - top, np.float32)[..., np.newaxis]
    right = np.asarray(columns - left, np.float32)[..., np.newaxis]
    i, j = top.astype(np.int64), left.astype(np.int64)
    corners = [_cells(images, i + a, j + b, fill_mode, fill_value) for a in (0, 1) for b in (0, 1)]
    upper = corners[0] * (1 - right) + corners[1] * right
    lower = corners[2] * (1 - right) + corners[3] * right
    return np.asarray(upper * (1 - down) + lower * down, np.float32)


def _cells(
    images: Array, i: NDArray[np.int64], j: NDArray[np.int64], fill_mode: str, fill_value: float
) -> Array:
    n, h, w, _ = images.shape
    batch = np.arange(n).reshape(n, 1, 1)
    values: Any = images[batch, _inside(i, h, fill_mode), _inside(j, w, fill_mode)]
    if fill_mode == "constant":
        outside = (i < 0) | (i >= h) | (j < 0) | (j >= w)
        values[outside] = fill_value
    return values  # type: ignore[no-any-return]


def _inside(i: NDArray[np.int64], n: int, mode: str) -> NDArray[np.int64]:
    """Return the cells of n that stand for cells i."""
    if mode == "wrap":
        return i % n
    if mode == "reflect":  # dcba|abcd|dcba
        folded = i % (2 * n)
        return np.minimum(folded, 2 * n - 1 - folded)
    if mode == "mirror":  # dcb|abcd|cba
        folded = i % max(2 * n - 2, 1)
        return np.minimum(folded, 2 * n - 2 - folded)
    return np.clip(i, 0, n - 1)
