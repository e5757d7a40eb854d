"""Volumes (N, D, H, W, C) as images: their planes, and what lies along their depth."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyconv._args import shown
from pyconv._types import Array, Shape
from pyconv.layers._arguments import sizes_arg
from pyconv.layers._windows import Windows

Three = tuple[int, ...]


def planes(x: Array) -> Array:
    """Return a volume's planes as images (N * D, H, W, C)."""
    n, d, h, w, c = x.shape
    return x.reshape(n * d, h, w, c)


def columns(x: Array) -> Array:
    """Return a volume as images (N, D, H * W, C), whose columns run along its depth."""
    n, d, h, w, c = x.shape
    return x.reshape(n, d, h * w, c)


class VolumeWindows:
    """The windows over a volume: those along its depth, and those over its planes."""

    def __init__(
        self, owner: str, size: Three, strides: Three, padding: Any, dilation: Three = (1, 1, 1)
    ) -> None:
        if not isinstance(padding, str) or padding.lower() not in ("valid", "same"):
            raise ValueError(f"{owner}: padding must be 'valid' or 'same', got {shown(padding)}")
        self.padding = padding.lower()
        kd, kh, kw = size
        sd, sh, sw = strides
        dd, dh, dw = dilation
        self.depth = Windows(owner, (kd, 1), (sd, 1), self.padding, (dd, 1))
        self.plane = Windows(owner, (kh, kw), (sh, sw), self.padding, (dh, dw))

    def output_size(self, shape: Shape) -> tuple[int | None, int | None, int | None]:
        """Return (OD, OH, OW) for an input of (N, D, H, W, C), None where the size is."""
        n, d, h, w, c = shape
        od, _ = self.depth.output_size((n, d, 1, c))
        return od, *self.plane.output_size((n, h, w, c))


def pool_arguments(owner: str, pool_size: Any, strides: Any) -> tuple[Three, Three]:
    """Return the window and the steps of a pooling layer."""
    size = sizes_arg(owner, "pool_size", pool_size, 3)
    return size, size if strides is None else sizes_arg(owner, "strides", strides, 3)


class DepthTaps:
    """A convolution along the depth as more channels of planes: one for each of its taps.

    Args:
        taps: cells of the kernel along the depth.
        stride: the step from window to window.
        dilation: the step between a kernel's cells.
        groups: the channels are in so many groups, of which each keeps its taps together.
    """

    def __init__(self, taps: int, stride: int, dilation: int, groups: int = 1) -> None:
        self.taps, self.stride, self.dilation, self.groups = taps, stride, dilation, groups

    def _pairs(self, before: int, d: int, od: int) -> Iterator[tuple[int, slice, slice]]:
        """Give (tap, planes of the volume, planes of the result) that meet."""
        for tap in range(self.taps):
            offset = tap * self.dilation - before
            first = max(-(offset // self.stride), 0)
            last = min((d - 1 - offset) // self.stride, od - 1)
            if last >= first:
                begin = first * self.stride + offset
                end = last * self.stride + offset + 1
                yield tap, slice(begin, end, self.stride), slice(first, last + 1)

    def gather(self, x: Array, before: int, od: int, out: Array) -> Array:
        """Return volumes (N, D, H, W, C) as images (N * OD, H, W, taps * C), written to ``out``."""
        n, d, h, w, c = x.shape
        parts = out.reshape(n, od, h, w, self.groups, self.taps, c // self.groups)
        volumes = x.reshape(n, d, h, w, self.groups, c // self.groups)
        out[...] = 0
        for tap, planes_of_x, planes_of_y in self._pairs(before, d, od):
            parts[:, planes_of_y, :, :, :, tap] = volumes[:, planes_of_x]
        return out

    def scatter(self, images: Array, before: int, out: Array) -> Array:
        """Add what ``gather`` copied back to where it came from, in ``out`` (N, D, H, W, C)."""
        n, d, h, w, c = out.shape
        od = len(images) // n
        parts = images.reshape(n, od, h, w, self.groups, self.taps, c // self.groups)
        volumes = out.reshape(n, d, h, w, self.groups, c // self.groups)
        out[...] = 0
        for tap, planes_of_x, planes_of_y in self._pairs(before, d, od):
            volumes[:, planes_of_x] += parts[:, planes_of_y, :, :, :, tap]
        return out


def planar_kernel(kernel: Array, out: Array) -> Array:
    """Return a kernel (KD, KH, KW, A, B) as (KH, KW, KD * A, B), written to ``out``."""
    kd, kh, kw, a, b = kernel.shape
    out.reshape(kh, kw, kd, a, b)[...] = np.asarray(kernel).transpose(1, 2, 0, 3, 4)
    return out


def planar_shape(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the shape of a kernel (KD, KH, KW, A, B) as ``planar_kernel`` has it."""
    kd, kh, kw, a, b = shape
    return kh, kw, kd * a, b


def take_planar(grad: Array, planar: Array) -> None:
    """Write the gradient of such a kernel into that of the kernel it was made of."""
    kd, kh, kw, a, b = grad.shape
    grad[...] = np.asarray(planar).reshape(kh, kw, kd, a, b).transpose(2, 0, 1, 3, 4)
