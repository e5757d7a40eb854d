"""The filters of images that are measured, and their exact results."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pyconv.bench.cases import Case
from pyconv.bench.inputs import normal

Kind = Literal["filter2d", "mean", "Gaussian", "median", "bilateral"]
SIGMAS = 75.0  # of the bilateral filter


@dataclass(frozen=True)
class Filter(Case):
    """A filter of so many cells a side, of an image of ``dtype``, border "reflect_101"."""

    kind: Kind
    size: int
    c: int
    dtype: Literal["uint8", "float32"]
    h: int = 1080
    w: int = 1920

    @property
    def name(self) -> str:
        """Such as ``Gaussian 5x5 1080x1920x3 uint8, filter``."""
        return (
            f"{self.kind} {self.size}x{self.size} {self.h}x{self.w}x{self.c} {self.dtype}, filter"
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return self.h, self.w, self.c

    @property
    def flops(self) -> int:
        """Those of float32 arithmetic: none where bytes are added or compared as they are."""
        pixels = self.h * self.w * self.c
        if self.kind == "filter2d":
            return 2 * pixels * self.size**2
        if self.kind == "bilateral":  # difference, weight, sums
            return 20 * pixels * round(np.pi / 4 * self.size**2)
        if self.dtype == "uint8" or self.kind == "median":
            return 0
        return 4 * pixels * self.size

    @property
    def bytes(self) -> int:
        """Image and result."""
        return 2 * self.h * self.w * self.c * (1 if self.dtype == "uint8" else 4)

    def image(self) -> NDArray[Any]:
        """Whole numbers from 0 to 255."""
        pixels = np.rint(np.clip(normal("image", self.shape) * 40 + 128, 0, 255))
        return np.asarray(pixels, self.dtype)

    def kernel(self) -> NDArray[np.float32]:
        """Of filter2d."""
        return np.asarray(normal("kernel", (self.size, self.size)) / self.size, np.float32)


def exact(case: Filter) -> NDArray[np.float64]:
    """Return the result of a case in float64; of uint8 it is not rounded, but kept in range."""
    radius = case.size // 2
    padded = np.pad(
        case.image().astype(float),
        [(radius, radius), (radius, radius), (0, 0)],
        "edge" if case.kind == "median" else "reflect",
    )
    if case.kind == "median":
        result = np.empty(case.shape)
        for i in range(case.h):  # the windows of all rows would take much memory
            windows = np.lib.stride_tricks.sliding_window_view(
                padded[i : i + case.size], case.size, 1
            )
            result[i] = np.median(windows, (0, 3))
        return result
    if case.kind == "bilateral":
        return _bilateral(case, padded)
    if case.kind == "filter2d":
        result = np.zeros(case.shape)
        for (i, j), weight in np.ndenumerate(case.kernel()):
            result += float(weight) * padded[i : i + case.h, j : j + case.w]
    else:
        from pyconv.filters import get_gaussian_kernel

        mean = np.full(case.size, 1 / case.size)
        weights = mean if case.kind == "mean" else get_gaussian_kernel(case.size)
        rows = sum(w * padded[i : i + case.h] for i, w in enumerate(weights))
        result = np.asarray(sum(w * rows[:, j : j + case.w] for j, w in enumerate(weights)))
    return np.clip(result, 0, 255) if case.dtype == "uint8" else result


def _bilateral(case: Filter, padded: NDArray[np.float64]) -> NDArray[np.float64]:
    radius = case.size // 2
    middle = padded[radius : radius + case.h, radius : radius + case.w]
    total, weights = np.zeros(case.shape), np.zeros((case.h, case.w, 1))
    for i, j in np.ndindex(case.size, case.size):
        square = (i - radius) ** 2 + (j - radius) ** 2
        if square <= radius**2:
            other = padded[i : i + case.h, j : j + case.w]
            difference = np.abs(other - middle).sum(-1, keepdims=True)
            weight = np.exp(-(square + difference**2) / (2 * SIGMAS**2))
            total += weight * other
            weights += weight
    return total / weights
