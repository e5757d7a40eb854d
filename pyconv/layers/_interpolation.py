"""How pixels are made of those of an image of another size, along one axis."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import shown
from pyconv._types import Array

Values = NDArray[np.float64]


def _triangle(x: Values) -> Values:
    return np.maximum(1 - x, 0)


def _cubic(x: Values) -> Values:
    """Keys, "Cubic convolution interpolation for digital image processing", 1981, a = -0.5."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int) -> Callable[[Values], Values]:
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


_KERNELS: dict[str, Callable[[Values], Values]] = {
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}
INTERPOLATIONS = ("nearest", *_KERNELS)


def interpolation_arg(owner: str, value: Any) -> str:
    """Return ``value`` where it names a way to interpolate."""
    if not isinstance(value, str) or value.lower() not in INTERPOLATIONS:
        known = ", ".join(map(repr, INTERPOLATIONS[:-1]))
        raise ValueError(
            f"{owner}: interpolation must be {known} or {INTERPOLATIONS[-1]!r}, got {shown(value)}"
        )
    return value.lower()


def shares(count: int, size: int, interpolation: str, antialias: bool = False) -> Array:
    """Return the weights (size, count) of the pixels that each new one is made of.

    They are taken between pixels' centres, and add up to 1. With ``antialias`` an image that is
    made smaller is smoothed: the weights reach as much further.
    """
    at = (np.arange(size) + 0.5) * count / size
    if interpolation == "nearest":
        nearest = np.minimum(at.astype(np.int64), count - 1)
        return np.asarray(nearest[:, None] == np.arange(count), np.float32)
    reach = max(count / size, 1.0) if antialias else 1.0
    weights = _KERNELS[interpolation](np.abs(at[:, None] - 0.5 - np.arange(count)) / reach)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def along(x: Array, axis: int, weights: Array) -> Array:
    """Return weights (size, count) applied along an axis of x."""
    shape = x.shape
    flat = x.reshape(math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :]))
    result: Array = (weights @ flat).reshape(*shape[:axis], len(weights), *shape[axis + 1 :])
    return result
