"""Filters of images, as OpenCV has them, on arrays (H, W) or (H, W, C) of uint8 or float32.

Each channel is filtered by itself. A uint8 image gives uint8, rounded and kept within 0 to 255;
numbers of other types are taken as float32. Pairs are (height, width), as everywhere in pyconv,
where OpenCV's are (width, height). ``border`` says what lies beyond the edges::

    "reflect_101"   dcb|abcd|cba   OpenCV's default
    "reflect"       cba|abcd|dcb
    "replicate"     aaa|abcd|ddd
    "wrap"          bcd|abcd|abc
    "constant"      000|abcd|000
    "valid"         nothing: the result has only windows that lie in the image
"""

from pyconv.filters.derivatives import laplacian, sobel
from pyconv.filters.edge_preserving import bilateral, bilateral_filter, median_blur
from pyconv.filters.kernels import (
    BOX_3,
    EDGE_1,
    EDGE_2,
    EDGE_3,
    GAUSS_3,
    GAUSS_5,
    GAUSS_100,
    IDENTITY,
    KERNELS,
    SHARPEN,
    SOBEL_X,
    SOBEL_Y,
    UNSHARP_5,
    get_gaussian_kernel,
)
from pyconv.filters.linear import convolve2d, correlate2d, filter2d
from pyconv.filters.sharpening import sharpen, unsharp_mask
from pyconv.filters.smoothing import blur, box, box_filter, gaussian_blur, mean

__all__ = [
    "BOX_3",
    "EDGE_1",
    "EDGE_2",
    "EDGE_3",
    "GAUSS_3",
    "GAUSS_5",
    "GAUSS_100",
    "IDENTITY",
    "KERNELS",
    "SHARPEN",
    "SOBEL_X",
    "SOBEL_Y",
    "UNSHARP_5",
    "bilateral",
    "bilateral_filter",
    "blur",
    "box",
    "box_filter",
    "convolve2d",
    "correlate2d",
    "filter2d",
    "gaussian_blur",
    "get_gaussian_kernel",
    "laplacian",
    "mean",
    "median_blur",
    "sharpen",
    "sobel",
    "unsharp_mask",
]
