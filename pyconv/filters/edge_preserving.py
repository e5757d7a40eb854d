"""Filters that smooth and keep edges."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import float_arg, int_arg
from pyconv.filters._arguments import Image, border_arg, image_arg, like, odd_arg

_MAX_RADIUS = 127


def median_blur(image: Any, ksize: int) -> Image:
    """Return the median of each window of an image: single wrong pixels vanish, edges stay.

    Beyond the edges their pixels go on ("replicate").

    Args:
        image: (H, W) or (H, W, C).
        ksize: cells of the square window's side, odd, at most 255.

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Source: OpenCV, medianBlur; Huang, Yang and Tang, "A fast two-dimensional median filtering
    algorithm", 1979.

    Example:
        >>> import numpy as np
        >>> from pyconv import filters
        >>> filters.median_blur(np.array([[5, 5, 9], [5, 0, 9], [5, 9, 9]], np.uint8), 3)
        array([[5, 5, 9],
               [5, 5, 9],
               [5, 9, 9]], dtype=uint8)
    """
    x = image_arg("median_blur", image)
    ksize = odd_arg("median_blur", "ksize", ksize, maximum=255)
    return like(image, backend.cpu.median_blur(x, ksize))


def bilateral_filter(
    image: Any,
    d: int,
    sigma_color: float,
    sigma_space: float,
    border: str = "reflect_101",
) -> Image:
    """Return means of pixels that are near both in place and in colour: noise goes, edges stay.

    A pixel's weight is exp(-r**2 / (2 sigma_space**2) - c**2 / (2 sigma_color**2)), r its distance
    and c the sum of its channels' absolute differences from the pixel in the middle.

    Args:
        image: (H, W) or (H, W, C) of 1 or 3 channels.
        d: diameter of the window, which is round and has the radius d // 2; 0 for the radius
            1.5 * sigma_space.
        sigma_color: how far colours may differ.
        sigma_space: how far pixels may lie apart.
        border: what lies beyond the edges (see ``pyconv.filters``).

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: an argument of a wrong shape or value.

    Source: Tomasi and Manduchi, "Bilateral filtering for gray and color images", 1998; OpenCV,
    bilateralFilter, whose weights for float32 are read off a table.

    Example:
        >>> import numpy as np
        >>> from pyconv import filters
        >>> image = np.array([[10, 12, 11, 90, 92, 91]] * 3, np.uint8)
        >>> filters.bilateral_filter(image, 5, 10.0, 10.0)[1]
        array([11, 11, 11, 91, 91, 91], dtype=uint8)
    """
    owner = "bilateral_filter"
    x = image_arg(owner, image)
    if x.shape[2] not in (1, 3):
        raise ValueError(f"{owner}: image must have 1 or 3 channels, got shape {np.shape(image)}")
    d = int_arg(owner, "d", d, minimum=0)
    # As OpenCV has it, 0 stands for 1.
    sigma_color = float_arg(owner, "sigma_color", sigma_color) or 1.0
    sigma_space = float_arg(owner, "sigma_space", sigma_space) or 1.0
    radius = max(1, d // 2 if d else round(min(1.5 * sigma_space, 1e6)))
    if radius > _MAX_RADIUS:
        wanted = f"d must be at most {2 * _MAX_RADIUS + 1}, or sigma_space smaller where d is 0"
        raise ValueError(f"{owner}: {wanted}, got {d} and {sigma_space:g}")
    border = border_arg(owner, border, x, (2 * radius + 1, 2 * radius + 1))
    result = backend.cpu.bilateral_filter(x, radius, sigma_color, sigma_space, border)
    return like(image, result)


bilateral = bilateral_filter
