"""The kernels of the course's table, and Gaussian ones."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import float_arg, int_arg

Kernel = NDArray[np.float64]


def _constant(cells: Any) -> Kernel:
    kernel = np.asarray(cells, float)
    kernel.flags.writeable = False
    return kernel


_BINOMIAL_5 = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])
_CENTRE_5 = np.zeros((5, 5))
_CENTRE_5[2, 2] = 1

IDENTITY = _constant([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
EDGE_1 = _constant([[1, 0, -1], [0, 0, 0], [-1, 0, 1]])
EDGE_2 = _constant([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
EDGE_3 = _constant([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]])
SHARPEN = _constant([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
BOX_3 = _constant(np.ones((3, 3)) / 9)
GAUSS_3 = _constant(np.outer([1, 2, 1], [1, 2, 1]) / 16)
GAUSS_5 = _constant(_BINOMIAL_5 / 256)
UNSHARP_5 = _constant(2 * _CENTRE_5 - _BINOMIAL_5 / 256)
GAUSS_100 = _constant(np.array([[8, 12, 8], [12, 20, 12], [8, 12, 8]]) / 100)
SOBEL_X = _constant([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
SOBEL_Y = _constant(SOBEL_X.T)

KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {
        "identity": IDENTITY,
        "edge1": EDGE_1,
        "edge2": EDGE_2,
        "edge3": EDGE_3,
        "sharpen": SHARPEN,
        "box": BOX_3,
        "gauss3": GAUSS_3,
        "gauss5": GAUSS_5,
        "unsharp5": UNSHARP_5,
        "gauss100": GAUSS_100,
        "sobel_x": SOBEL_X,
        "sobel_y": SOBEL_Y,
    }
)

# OpenCV's for sigma = 0.
_FIXED: dict[int, list[float]] = {
    1: [1.0],
    3: [0.25, 0.5, 0.25],
    5: [0.0625, 0.25, 0.375, 0.25, 0.0625],
    7: [0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125],
    9: [n / 256 for n in (4, 13, 30, 51, 60, 51, 30, 13, 4)],
}
MAX_SIZE = 2**15


def get_gaussian_kernel(ksize: int, sigma: float = 0.0) -> Kernel:
    """Return the weights (ksize,) of a Gaussian: exp(-d**2 / (2 sigma**2)), with the sum 1.

    d is the distance from the middle.

    Args:
        ksize: their number, odd.
        sigma: standard deviation in pixels. 0 stands for OpenCV's fixed weights up to 9, such as
            [1, 4, 6, 4, 1] / 16, and beyond for 0.3 * ((ksize - 1) / 2 - 1) + 0.8.

    Raises:
        TypeError: an argument of a wrong type.
        ValueError: ``ksize`` is even or outside 1 to 32767; ``sigma`` is negative.

    Source: OpenCV, getGaussianKernel.

    Example:
        >>> from pyconv import filters
        >>> filters.get_gaussian_kernel(3).tolist()
        [0.25, 0.5, 0.25]
    """
    owner = "get_gaussian_kernel"
    ksize = int_arg(owner, "ksize", ksize, maximum=MAX_SIZE)
    if ksize % 2 == 0:
        raise ValueError(f"{owner}: ksize must be odd, got {ksize}")
    sigma = float_arg(owner, "sigma", sigma)
    if sigma == 0 and ksize in _FIXED:
        return np.array(_FIXED[ksize])
    sigma = sigma or 0.3 * ((ksize - 1) / 2 - 1) + 0.8
    distance = np.arange(ksize) - (ksize - 1) / 2
    with np.errstate(over="ignore", under="ignore"):
        weights = np.exp(-((distance / sigma) ** 2) / 2)
    result: Kernel = weights / weights.sum()
    return result


def whole_gaussian_kernel(ksize: int, sigma: float) -> Kernel:
    """Return the weights in 256ths, as integers with the sum 256.

    What one weight loses by rounding goes to the next one, and the middle takes what is left, as
    in OpenCV.
    """
    weights = 256 * get_gaussian_kernel(ksize, sigma)
    error = 0.0
    for i in range(ksize // 2):
        wanted = weights[i] + error
        weights[i] = weights[-1 - i] = np.rint(wanted)
        error = wanted - weights[i]
    middle = ksize // 2
    weights[middle] = 256 - 2 * weights[:middle].sum()
    return weights
