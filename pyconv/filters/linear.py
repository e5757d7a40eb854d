"""Filters by a kernel of one's own."""

from typing import Any

from pyconv import backend
from pyconv._args import FLOAT_MAX, float_arg
from pyconv.filters._arguments import (
    MAX_CELLS,
    Image,
    anchor_arg,
    border_arg,
    dtype_arg,
    image_arg,
    kernel_arg,
    like,
)


def filter2d(
    image: Any,
    kernel: Any,
    anchor: Any = None,
    delta: float = 0.0,
    border: str = "reflect_101",
    dtype: Any = None,
) -> Image:
    """Return the weighted sums of the windows of an image: cross-correlation with a kernel.

    y[i, j] = delta + sum over a, b of kernel[a, b] * image[i + a - row, j + b - column], for each
    channel. A float32 image of one channel gives what ``layers.Conv2D`` gives with the kernel as
    its weights, bit for bit, as both add the same products in the same order; so do each of
    several channels for kernels of up to 128 cells.

    Args:
        image: (H, W) or (H, W, C).
        kernel: weights (KH, KW).
        anchor: (row, column) of the kernel's cell that lies on the result; its middle by default,
            (KH // 2, KW // 2).
        delta: is added to each sum.
        border: what lies beyond the edges (see ``pyconv.filters``).
        dtype: "uint8", "int16" or "float32": the type of the result, into whose range sums are
            rounded (half to even) and brought; that of the image by default.

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Source: OpenCV, filter2D.

    Example:
        >>> import numpy as np
        >>> from pyconv import filters
        >>> image = np.array([[0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9]], np.uint8)
        >>> filters.filter2d(image, filters.SOBEL_X, border="valid", dtype="float32")
        array([[36., 36.]], dtype=float32)
    """
    return _filtered("filter2d", image, kernel, anchor, delta, border, dtype)


def correlate2d(
    image: Any, kernel: Any, border: str = "reflect_101", anchor: Any = None, dtype: Any = None
) -> Image:
    """Return the cross-correlation of an image and a kernel: what "convolution" means in networks.

    The same as ``filter2d``.

    Args:
        image: (H, W) or (H, W, C).
        kernel: weights (KH, KW), laid on the image as they are.
        border: what lies beyond the edges (see ``pyconv.filters``).
        anchor: (row, column) of the kernel's cell that lies on the result; its middle by default.
        dtype: "uint8", "int16" or "float32"; that of the image by default.

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Example:
        >>> from pyconv import filters
        >>> filters.correlate2d([[1, 2, 3], [4, 5, 6]], [[1, 0], [0, 10]], border="valid")
        array([[51., 62.]], dtype=float32)
    """
    return _filtered("correlate2d", image, kernel, anchor, 0.0, border, dtype)


def convolve2d(
    image: Any, kernel: Any, border: str = "reflect_101", anchor: Any = None, dtype: Any = None
) -> Image:
    """Return the convolution of mathematics: ``correlate2d`` with the kernel turned by 180 degrees.

    Args:
        image: (H, W) or (H, W, C).
        kernel: weights (KH, KW).
        border: what lies beyond the edges (see ``pyconv.filters``).
        anchor: (row, column) of the kernel's cell that lies on the result, as it is given; its
            middle by default.
        dtype: "uint8", "int16" or "float32"; that of the image by default.

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Example:
        >>> from pyconv import filters
        >>> filters.convolve2d([[1, 2, 3], [4, 5, 6]], [[1, 0], [0, 10]], border="valid")
        array([[15., 26.]], dtype=float32)
    """
    owner = "convolve2d"
    turned = kernel_arg(owner, kernel)[::-1, ::-1]
    kh, kw = turned.shape
    row, column = anchor_arg(owner, anchor, (kh, kw))
    return _filtered(owner, image, turned, (kh - 1 - row, kw - 1 - column), 0.0, border, dtype)


def _filtered(
    owner: str, image: Any, kernel: Any, anchor: Any, delta: Any, border: Any, dtype: Any
) -> Image:
    weights, x = kernel_arg(owner, kernel), image_arg(owner, image)
    size = weights.shape[0], weights.shape[1]
    if weights.size > MAX_CELLS:
        raise ValueError(f"{owner}: kernel must have at most 2**23 weights, got {size}")
    at = anchor_arg(owner, anchor, size)
    delta = float_arg(owner, "delta", delta, minimum=-FLOAT_MAX)
    border, dtype = border_arg(owner, border, x, size), dtype_arg(owner, dtype, x.dtype.name)
    return like(image, backend.cpu.filter2d(x, weights, at, border, delta, dtype))
