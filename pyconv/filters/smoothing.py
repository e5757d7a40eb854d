"""Filters that smooth: means and Gaussians."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import float_arg, pair_arg, shown
from pyconv.filters._arguments import (
    MAX_CELLS,
    Image,
    anchor_arg,
    border_arg,
    image_arg,
    like,
    odd_arg,
)
from pyconv.filters.kernels import MAX_SIZE, get_gaussian_kernel, whole_gaussian_kernel


def blur(image: Any, ksize: Any, anchor: Any = None, border: str = "reflect_101") -> Image:
    """Return the mean of each window of an image: R = (z_1 + ... + z_n) / n.

    The larger the window, the stronger the blur.

    Args:
        image: (H, W) or (H, W, C).
        ksize: size of the window, an integer or (height, width), odd or even.
        anchor: (row, column) of the window's cell that lies on the result; its middle by default.
        border: what lies beyond the edges (see ``pyconv.filters``).

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Source: OpenCV, blur.

    Example:
        >>> import numpy as np
        >>> from pyconv import filters
        >>> image = np.zeros((3, 4), np.uint8)
        >>> image[1, 1] = 90
        >>> filters.blur(image, 3, border="constant")
        array([[10, 10, 10,  0],
               [10, 10, 10,  0],
               [10, 10, 10,  0]], dtype=uint8)
    """
    return _box("blur", image, ksize, anchor, True, border)


def mean(image: Any, ksize: Any, anchor: Any = None, border: str = "reflect_101") -> Image:
    """Return the mean of each window of an image, as ``blur`` does.

    Args:
        image: (H, W) or (H, W, C).
        ksize: size of the window, an integer or (height, width), odd or even.
        anchor: (row, column) of the window's cell that lies on the result; its middle by default.
        border: what lies beyond the edges (see ``pyconv.filters``).

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Example:
        >>> from pyconv import filters
        >>> filters.mean([[1, 2], [3, 6]], 2, border="valid")
        array([[3.]], dtype=float32)
    """
    return _box("mean", image, ksize, anchor, True, border)


def box(
    image: Any,
    ksize: Any,
    anchor: Any = None,
    normalize: bool = True,
    border: str = "reflect_101",
) -> Image:
    """Return the mean of each window of an image, or its sum.

    Args:
        image: (H, W) or (H, W, C).
        ksize: size of the window, an integer or (height, width), odd or even.
        anchor: (row, column) of the window's cell that lies on the result; its middle by default.
        normalize: whether to divide the sum by the number of cells. Sums of a uint8 image above
            255 give 255.
        border: what lies beyond the edges (see ``pyconv.filters``).

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Source: OpenCV, boxFilter.

    Example:
        >>> from pyconv import filters
        >>> filters.box([[1, 2], [3, 6]], 2, normalize=False, border="valid")
        array([[12.]], dtype=float32)
    """
    if not isinstance(normalize, (bool, np.bool_)):
        raise TypeError(f"box: normalize must be True or False, got {shown(normalize)}")
    return _box("box", image, ksize, anchor, bool(normalize), border)


box_filter = box


def gaussian_blur(
    image: Any,
    ksize: Any,
    sigma_x: float = 0.0,
    sigma_y: float = 0.0,
    border: str = "reflect_101",
) -> Image:
    """Return an image smoothed by a Gaussian: means that weigh the middle of a window most.

    Args:
        image: (H, W) or (H, W, C).
        ksize: size of the window, an integer or (height, width), odd; 0 for the size that fits
            sigma: 6 sigma + 1 for uint8 and 8 sigma + 1 for float32, made odd.
        sigma_x: standard deviation along a row, in pixels; 0 for the one that fits ``ksize``
            (see ``get_gaussian_kernel``).
        sigma_y: the same along a column; 0 for that of ``sigma_x``.
        border: what lies beyond the edges (see ``pyconv.filters``).

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Source: OpenCV, GaussianBlur, with its weights in 256ths for uint8.

    Example:
        >>> import numpy as np
        >>> from pyconv import filters
        >>> image = np.zeros((3, 4), np.uint8)
        >>> image[1, 1] = 160
        >>> filters.gaussian_blur(image, 3, border="constant")
        array([[10, 20, 10,  0],
               [20, 40, 20,  0],
               [10, 20, 10,  0]], dtype=uint8)
    """
    owner = "gaussian_blur"
    x = image_arg(owner, image)
    sigma_x = float_arg(owner, "sigma_x", sigma_x)
    sigma_y = float_arg(owner, "sigma_y", sigma_y) or sigma_x
    sizes = pair_arg(owner, "ksize", ksize, minimum=0)
    rows, cols = (
        gaussian_weights(x.dtype.name, _gaussian_size(owner, x.dtype.name, size, sigma), sigma)
        for size, sigma in zip(sizes, (sigma_y, sigma_x), strict=True)
    )
    border = border_arg(owner, border, x, (rows.size, cols.size))
    return like(image, backend.cpu.gaussian_blur(x, rows, cols, border))


def _gaussian_size(owner: str, dtype: str, size: int, sigma: float) -> int:
    if size == 0:
        if sigma == 0:
            raise ValueError(f"{owner}: ksize must be given, or sigma_x above 0")
        size = round(sigma * (6 if dtype == "uint8" else 8) + 1) | 1
        if size > MAX_SIZE:
            raise ValueError(
                f"{owner}: sigma must be at most {MAX_SIZE / 8:.0f} where ksize is 0, got {sigma:g}"
            )
    return odd_arg(owner, "ksize", size)


def gaussian_weights(dtype: str, size: int, sigma: float) -> Image:
    """Return the weights that the kernel takes."""
    make = whole_gaussian_kernel if dtype == "uint8" else get_gaussian_kernel
    return make(size, sigma).astype(np.float32)


def _box(owner: str, image: Any, ksize: Any, anchor: Any, normalize: bool, border: Any) -> Image:
    x, size = image_arg(owner, image), pair_arg(owner, "ksize", ksize)
    if size[0] * size[1] > MAX_CELLS:
        raise ValueError(f"{owner}: ksize must give at most 2**23 cells, got {size}")
    at, border = anchor_arg(owner, anchor, size), border_arg(owner, border, x, size)
    return like(image, backend.cpu.box_filter(x, size, at, normalize, border))
