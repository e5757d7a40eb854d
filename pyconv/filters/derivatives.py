"""Filters that find edges: derivatives."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import FLOAT_MAX, float_arg, int_arg
from pyconv.filters._arguments import (
    Image,
    anchor_arg,
    border_arg,
    dtype_arg,
    image_arg,
    like,
    odd_arg,
)
from pyconv.filters.kernels import Kernel


def sobel(
    image: Any,
    dx: int = 1,
    dy: int = 0,
    ksize: int = 3,
    scale: float = 1.0,
    delta: float = 0.0,
    border: str = "reflect_101",
    dtype: Any = None,
) -> Image:
    """Return a derivative of an image, smoothed across it: Sobel's operator.

    With ``dx=1, dy=0`` and three cells it is ``filter2d`` with ``SOBEL_X``.

    Args:
        image: (H, W) or (H, W, C).
        dx: order of the derivative along rows, 0 to 2.
        dy: order of the derivative along columns, 0 to 2.
        ksize: cells of the window: 1 (three, not smoothed), 3, 5 or 7.
        scale: factor of the result.
        delta: is added to the result.
        border: what lies beyond the edges (see ``pyconv.filters``).
        dtype: "uint8", "int16" or "float32"; by default float32 for a float32 image and int16 for
            a uint8 one, whose derivatives have both signs.

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Source: OpenCV, Sobel.

    Example:
        >>> import numpy as np
        >>> from pyconv import filters
        >>> filters.sobel(np.array([[0, 0, 9, 9]] * 3, np.uint8))
        array([[ 0, 36, 36,  0],
               [ 0, 36, 36,  0],
               [ 0, 36, 36,  0]], dtype=int16)
    """
    owner = "sobel"
    dx, dy = int_arg(owner, "dx", dx, 0, 2), int_arg(owner, "dy", dy, 0, 2)
    ksize = odd_arg(owner, "ksize", ksize, maximum=7)
    if dx + dy == 0:
        raise ValueError(f"{owner}: dx or dy must be above 0")
    kernel = np.outer(_derivative(ksize, dy), _derivative(ksize, dx))
    return _differentiated(owner, image, kernel, scale, delta, border, dtype)


def laplacian(
    image: Any,
    ksize: int = 1,
    scale: float = 1.0,
    delta: float = 0.0,
    border: str = "reflect_101",
    dtype: Any = None,
) -> Image:
    """Return the sum of both second derivatives of an image.

    Args:
        image: (H, W) or (H, W, C).
        ksize: 1 for [[0, 1, 0], [1, -4, 1], [0, 1, 0]], 3 for [[2, 0, 2], [0, -8, 0], [2, 0, 2]],
            5 or 7 for the sum of Sobel's second derivatives of that size.
        scale: factor of the result.
        delta: is added to the result.
        border: what lies beyond the edges (see ``pyconv.filters``).
        dtype: "uint8", "int16" or "float32"; by default float32 for a float32 image and int16 for
            a uint8 one, whose derivatives have both signs.

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Source: OpenCV, Laplacian.

    Example:
        >>> import numpy as np
        >>> from pyconv import filters
        >>> filters.laplacian(np.array([[0, 0, 9, 9]] * 3, np.uint8))[1]
        array([ 0,  9, -9,  0], dtype=int16)
    """
    owner = "laplacian"
    ksize = odd_arg(owner, "ksize", ksize, maximum=7)
    if ksize == 1:
        kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    elif ksize == 3:
        kernel = np.array([[2, 0, 2], [0, -8, 0], [2, 0, 2]])
    else:
        second = np.outer(_derivative(ksize, 0), _derivative(ksize, 2))
        kernel = second + second.T
    return _differentiated(owner, image, kernel, scale, delta, border, dtype)


def _derivative(ksize: int, order: int) -> Kernel:
    """Return the weights of a derivative by differences of cells that are smoothed by means."""
    if ksize == 1:
        ksize = 3 if order else 1
    weights = np.ones(1)
    for step in [[1, 1]] * (ksize - 1 - order) + [[-1, 1]] * order:
        weights = np.convolve(weights, step)
    return weights


def _differentiated(
    owner: str, image: Any, kernel: Kernel, scale: Any, delta: Any, border: Any, dtype: Any
) -> Image:
    x = image_arg(owner, image)
    scale = float_arg(owner, "scale", scale, minimum=-FLOAT_MAX)
    delta = float_arg(owner, "delta", delta, minimum=-FLOAT_MAX)
    with np.errstate(over="ignore"):
        weights = (kernel * scale).astype(np.float32)
    size = weights.shape[0], weights.shape[1]
    at, border = anchor_arg(owner, None, size), border_arg(owner, border, x, size)
    dtype = dtype_arg(owner, dtype, "int16" if x.dtype == np.uint8 else "float32")
    return like(image, backend.cpu.filter2d(x, weights, at, border, delta, dtype))
