"""Draws the images of shapes10.

Only +, -, *, /, sqrt, floor, min, max and comparisons are used, element by element, and the bits
come from PCG64's raw stream: IEEE 754 and NumPy's stability policy (NEP 19) then fix every bit.
sin, exp, sums and Generator's distributions would not.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.datasets._outlines import CLASS_NAMES, signed_distance

__all__ = ["CLASS_NAMES", "draw"]

Float = NDArray[np.floating[Any]]  # float32 in fact
UInt8 = NDArray[np.uint8]

_SIZE = 32
_CHUNK = 500  # images drawn at a time
_BLOBS = 2
_LINES = 1
_GRID = 5  # cells of background texture along a side


class _Random:
    """Uniform numbers made of PCG64's raw bits."""

    def __init__(self, seed: int, stream: int, chunk: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(stream, chunk)))

    def raw(self, count: int) -> NDArray[np.uint64]:
        return np.asarray(self._bits.random_raw(count), np.uint64)

    def uniform(self, low: float, high: float, *shape: int) -> Float:
        """Numbers from [low, high), with 24 random bits, shaped (*shape, 1, 1) to meet planes."""
        numbers: Float = (self.raw(math.prod(shape)) >> np.uint64(40)).astype(np.float32)
        numbers *= 2**-24 * (high - low)
        numbers += low
        return numbers.reshape(*shape, 1, 1)

    def direction(self, count: int) -> tuple[Float, Float]:
        """Unit vectors all around, without sin and cos."""
        x, y = _unit_vector(self.uniform(-1, 1, count))
        quarter = self.raw(count).reshape(-1, 1, 1) >> np.uint64(62)
        for turn in range(3):
            x, y = np.where(quarter > turn, -y, x), np.where(quarter > turn, x, y)
        return x, y


def draw(count: int, seed: int, stream: int) -> tuple[UInt8, UInt8]:
    """Return images (count, 32, 32, 3) and labels (count, 1)."""
    x = np.empty((count, _SIZE, _SIZE, 3), np.uint8)
    y = np.empty((count, 1), np.uint8)
    for chunk, start in enumerate(range(0, count, _CHUNK)):
        stop = min(start + _CHUNK, count)
        random = _Random(seed, stream, chunk)
        # Ten classes in a random order, again and again.
        order = np.argsort(random.raw(_CHUNK).reshape(-1, 10), axis=1, kind="stable")
        labels = order.ravel()
        y[start:stop, 0] = labels[: stop - start]
        x[start:stop] = _images(labels, random)[: stop - start]
    return x, y


def _images(labels: NDArray[np.intp], random: _Random) -> UInt8:
    n = len(labels)
    axis = np.arange(_SIZE, dtype=np.float32) + 0.5
    px, py = np.meshgrid(axis, axis)  # (32, 32), the middle of each pixel

    base = random.uniform(0.05, 0.45, 3, n)
    planes = _background(base, px, py, random)
    for _ in range(_BLOBS):
        _paint(planes, _blob(px, py, n, random), random.uniform(0, 1, 3, n))
    for _ in range(_LINES):
        _paint(planes, _line(px, py, n, random), random.uniform(0, 1, 3, n))
    _paint(planes, _shape(labels, px, py, random), base + random.uniform(0.2, 0.55, 3, n))

    noise = random.raw(planes.size // 8).astype("<u8").view(np.uint8)
    grain = noise.reshape(planes.shape).astype(np.float32)
    grain -= 128
    grain *= random.uniform(0.05 / 256, 0.25 / 256, n)
    planes += grain
    np.clip(planes, 0, 1, out=planes)
    planes *= 255
    planes += 0.5
    pixels: UInt8 = planes.astype(np.uint8).transpose(1, 2, 3, 0)
    return pixels


def _background(base: Float, px: Float, py: Float, random: _Random) -> Float:
    """A gradient around ``base`` (3, n, 1, 1) with a smooth texture: planes (3, n, 32, 32)."""
    n = base.shape[1]
    dx, dy = random.direction(n)
    ramp = ((px - 16) * dx + (py - 16) * dy) * 1 / _SIZE
    planes = ramp * random.uniform(-0.3, 0.3, 3, n)
    planes += base
    side = _GRID + 1
    cells = random.uniform(-0.15, 0.15, 3 * n * side * side).reshape(3, n, side, side)
    position = (np.arange(_SIZE, dtype=np.float32) + 0.5) * _GRID / _SIZE
    cell = np.floor(position).astype(np.intp)
    part = position - cell.astype(np.float32)
    rows = _mix(cells[:, :, cell], cells[:, :, cell + 1], part[:, None])
    planes += _mix(rows[..., cell], rows[..., cell + 1], part)
    return planes


def _blob(px: Float, py: Float, n: int, random: _Random) -> Float:
    cx, cy = random.uniform(0, _SIZE, n), random.uniform(0, _SIZE, n)
    radius = random.uniform(1, 3.5, n)
    return _coverage(np.sqrt((px - cx) * (px - cx) + (py - cy) * (py - cy)) - radius)


def _line(px: Float, py: Float, n: int, random: _Random) -> Float:
    x, y = px - random.uniform(0, _SIZE, n), py - random.uniform(0, _SIZE, n)
    dx, dy = random.direction(n)
    along = np.clip(x * dx + y * dy, 0, random.uniform(6, 20, n))
    x, y = x - along * dx, y - along * dy
    return _coverage(np.sqrt(x * x + y * y) - random.uniform(0.4, 1.2, n))


def _shape(labels: NDArray[np.intp], px: Float, py: Float, random: _Random) -> Float:
    n = len(labels)
    radius = random.uniform(8, 13.5, n)
    room = 16 - radius * 0.95
    x = px - 16 - random.uniform(-1, 1, n) * room
    y = py - 16 - random.uniform(-1, 1, n) * room
    dx, dy = _unit_vector(random.uniform(-0.55, 0.55, n))
    stretch = random.uniform(0.8, 1.2, n)
    u = (x * dx + y * dy) / (radius * stretch)
    v = (y * dx - x * dy) * stretch / radius
    opacity = random.uniform(0.7, 1, n)
    covered = np.empty_like(u)
    for label in range(10):
        mine = labels == label
        covered[mine] = _coverage(signed_distance(label, u[mine], v[mine]) * radius[mine])
    covered *= opacity
    return covered


def _paint(planes: Float, covered: Float, colour: Float) -> None:
    change = colour - planes
    change *= covered
    planes += change


def _unit_vector(slope: Float) -> tuple[Float, Float]:
    x = 1 / np.sqrt(1 + slope * slope)
    return x, slope * x


def _coverage(distance: Float) -> Float:
    """How much of a pixel an edge at a signed distance, in pixels, leaves inside."""
    inside: Float = 0.5 - distance
    np.clip(inside, 0, 1, out=inside)
    return inside


def _mix(a: Float, b: Float, part: Float) -> Float:
    step: Float = b - a
    step *= part
    step += a
    return step
