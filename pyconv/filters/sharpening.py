"""Filters that sharpen: the opposite of smoothing."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import float_arg
from pyconv.filters._arguments import Image, border_arg, image_arg, like, odd_arg
from pyconv.filters.kernels import SHARPEN, get_gaussian_kernel
from pyconv.filters.smoothing import gaussian_blur


def sharpen(image: Any, border: str = "reflect_101") -> Image:
    """Return a sharper image: each pixel five times, less its four neighbours.

    The same as ``filter2d`` with ``SHARPEN``.

    Args:
        image: (H, W) or (H, W, C).
        border: what lies beyond the edges (see ``pyconv.filters``).

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Example:
        >>> import numpy as np
        >>> from pyconv import filters
        >>> filters.sharpen(np.array([[10, 10, 20, 20]] * 3, np.uint8))[1]
        array([10,  0, 30, 20], dtype=uint8)
    """
    owner = "sharpen"
    x = image_arg(owner, image)
    border = border_arg(owner, border, x, (3, 3))
    weights = SHARPEN.astype(np.float32)
    return like(image, backend.cpu.filter2d(x, weights, (1, 1), border, 0.0, x.dtype.name))


def unsharp_mask(
    image: Any,
    amount: float = 1.0,
    threshold: float = 0.0,
    ksize: int = 5,
    sigma: float = 0.0,
    border: str = "reflect_101",
) -> Image:
    """Return a sharper image: its difference from its own blur is added to it.

    y = image + amount * (image - blurred). With the default settings it is ``filter2d`` with
    ``UNSHARP_5``.

    Args:
        image: (H, W) or (H, W, C).
        amount: of the difference that is added.
        threshold: differences up to this stay as they are, so that noise is not made stronger.
        ksize: size of the Gaussian's window, odd.
        sigma: the Gaussian's standard deviation; 0 for the one that fits ``ksize``
            (see ``get_gaussian_kernel``).
        border: what lies beyond the edges (see ``pyconv.filters``).

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Example:
        >>> import numpy as np
        >>> from pyconv import filters
        >>> filters.unsharp_mask(np.array([[16, 16, 16, 32, 32, 32]] * 5, np.uint8))[2]
        array([16, 15, 11, 37, 33, 32], dtype=uint8)
    """
    owner = "unsharp_mask"
    x = image_arg(owner, image)
    amount, threshold = (
        float_arg(owner, "amount", amount),
        float_arg(owner, "threshold", threshold),
    )
    ksize = odd_arg(owner, "ksize", ksize, maximum=2**11 - 1)
    sigma = float_arg(owner, "sigma", sigma)
    border = border_arg(owner, border, x, (ksize, ksize))
    if threshold == 0:
        gaussian = get_gaussian_kernel(ksize, sigma)
        kernel = -amount * np.outer(gaussian, gaussian)
        kernel[ksize // 2, ksize // 2] += 1 + amount
        at = (ksize // 2, ksize // 2)
        weights = kernel.astype(np.float32)
        return like(image, backend.cpu.filter2d(x, weights, at, border, 0.0, x.dtype.name))
    exact = x.astype(np.float32, copy=False)
    if border == "valid":
        exact = exact[_inner(ksize, x.shape[0]), _inner(ksize, x.shape[1])]
    difference = exact - gaussian_blur(x.astype(np.float32, copy=False), ksize, sigma, 0.0, border)
    result = exact + np.where(np.abs(difference) > threshold, amount * difference, 0)
    if x.dtype == np.uint8:
        result = np.clip(np.rint(result), 0, 255)
    return like(image, result.astype(x.dtype, copy=False))


def _inner(ksize: int, extent: int) -> slice:
    return slice(ksize // 2, extent - ksize // 2)
