"""What is drawn of the changes that ``ImageDataGenerator`` makes."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyconv._args import float_arg
from pyconv._types import Array


class Changes(NamedTuple):
    """What was drawn for n images: None for what they do not need."""

    matrices: NDArray[np.float64] | None  # (n, 6)
    added: NDArray[np.float64] | None  # (n, 1, 1, 1), to all values
    cuts: NDArray[np.int64] | None  # (n, 4)
    factors: Array | None  # (n, 2) of the brightness

    def part(self, first: int, count: int) -> "Changes":
        """Return the changes of some of the images."""
        made: Any = (a if a is None else a[first : first + count] for a in self)
        return Changes(*made)


class RandomChanges:
    """What draws them, of ranges that are the constructor's arguments."""

    rotation_range: float
    width_shift_range: Any
    height_shift_range: Any
    brightness_range: tuple[float, float] | None
    shear_range: float
    zoom_range: tuple[float, float]
    channel_shift_range: float
    horizontal_flip: bool
    vertical_flip: bool

    def _drawn(self, rng: np.random.Generator, n: int, h: int, w: int) -> Changes:
        """Draw the changes of n images."""
        matrices = self._matrices(rng, n, h, w)
        added = cuts = factors = None
        if self.channel_shift_range:
            added = rng.uniform(-1, 1, (n, 1, 1, 1)) * self.channel_shift_range
        if self.horizontal_flip or self.vertical_flip:
            cuts = np.zeros((n, 4), np.int64)
            flips = rng.random((n, 2)) < 0.5
            cuts[:, 2] = flips[:, 0] & self.vertical_flip
            cuts[:, 3] = flips[:, 1] & self.horizontal_flip
            if matrices is not None and (matrices[:, [0, 4]] != 1).any():
                _flip(matrices, cuts, h, w)
                cuts = None
        if self.brightness_range is not None:
            factors = np.zeros((n, 2), np.float32)
            factors[:, :1] = rng.uniform(*self.brightness_range, (n, 1))
        return Changes(matrices, added, cuts, factors)

    def _matrices(
        self, rng: np.random.Generator, n: int, h: int, w: int
    ) -> NDArray[np.float64] | None:
        """Draw (n, 6), rotation after movement after shear after zoom; None to leave images."""
        ranges = (self.rotation_range, self.shear_range)
        shifts = (self.height_shift_range, self.width_shift_range)
        zooms = self.zoom_range != (1, 1)
        if not (any(ranges) or zooms or any(np.any(shift) for shift in shifts)):
            return None
        turn, shear = np.deg2rad(rng.uniform(-1, 1, (2, n)) * np.array(ranges)[:, np.newaxis])
        down, right = _shifts(rng, shifts[0], n, h), _shifts(rng, shifts[1], n, w)
        zoom = rng.uniform(*self.zoom_range, (2, n)) if zooms else np.ones((2, n))
        cos, sin = np.cos(turn), np.sin(turn)
        a = cos * zoom[0]
        b = (-cos * np.sin(shear) - sin * np.cos(shear)) * zoom[1]
        c = sin * zoom[0]
        d = (-sin * np.sin(shear) + cos * np.cos(shear)) * zoom[1]
        y, x = (h - 1) / 2, (w - 1) / 2
        row = cos * down - sin * right + y - a * y - b * x
        column = sin * down + cos * right + x - c * y - d * x
        return np.stack([a, b, row, c, d, column], axis=1)


def _flip(matrices: NDArray[np.float64], cuts: NDArray[np.int64], h: int, w: int) -> None:
    """Have matrices (n, 6) flip what they gave, as ``cuts`` say: warps take their time anyway."""
    for axis, last in ((0, h - 1), (1, w - 1)):
        flipped = np.flatnonzero(cuts[:, 2 + axis])
        for row in (0, 3):
            step = matrices[flipped, row + axis]
            matrices[flipped, row + 2] += step * last
            matrices[flipped, row + axis] = -step


def _shifts(rng: np.random.Generator, shift: Any, n: int, size: int) -> NDArray[np.float64]:
    """Draw movements (n,) in cells."""
    if isinstance(shift, list):
        drawn = rng.choice(shift, n) * rng.choice([-1.0, 1.0], n)
        most = max(map(abs, shift))
    elif isinstance(shift, int) and shift > 0:
        drawn = rng.integers(0, shift, n) * rng.choice([-1.0, 1.0], n)
        most = float(shift)
    else:
        drawn = rng.uniform(-1.0, 1.0, n) * shift
        most = shift
    return np.asarray(drawn * (size if most < 1 else 1), np.float64)


def pair_arg(owner: str, name: str, value: Any) -> tuple[float, float]:
    """Return ``value``, two numbers."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"{owner}: {name} must be (least, most), got {value!r:.60}")
    low, high = (float_arg(owner, f"{name}[{i}]", part) for i, part in enumerate(value))
    return low, high


def shift_arg(owner: str, name: str, value: Any) -> Any:
    """Return ``value``: a share, a number of cells, or a list of them."""
    if isinstance(value, (tuple, list, np.ndarray)):
        if len(value) == 0:
            raise ValueError(f"{owner}: {name} must not be empty")
        return [float_arg(owner, f"{name}[{i}]", v, -1e5, 1e5) for i, v in enumerate(value)]
    number = float_arg(owner, name, value, 0.0, 1e5)
    return int(value) if isinstance(value, (int, np.integer)) else number
