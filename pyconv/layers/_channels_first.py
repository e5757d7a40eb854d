"""Layers that take images as (N, C, H, W): axes are turned at their border."""

from functools import cache
from typing import Any

import numpy as np

from pyconv._types import Array, Shape

_LAST, _FIRST = (0, 2, 3, 1), (0, 3, 1, 2)


@cache
def channels_first(kind: Any) -> Any:
    """Return the class of layers that turn axes around what ``kind`` does."""

    class ChannelsFirst(kind):  # type: ignore[misc]
        """A layer of images (N, C, H, W)."""

        def compute_output_shape(self, input_shape: Shape) -> Shape:
            """Return the shape of the result, the channels first where it is an image."""
            return _turned_shape(
                super().compute_output_shape(_turned_shape(input_shape, _LAST)), _FIRST
            )

        def flops(self, input_shape: Shape) -> int:
            """Return the multiplications and additions of ``forward``."""
            return int(super().flops(_turned_shape(input_shape, _LAST)))

        def _create_weights(self, input_shape: Shape) -> None:
            super()._create_weights(_turned_shape(input_shape, _LAST))

        def forward(self, x: Array, training: bool, **options: Any) -> Array:
            """Return the layer's result."""
            turned = self._turned("x channels last", x, _LAST)
            y = super().forward(turned, training, **options)
            return self._turned("y channels first", y, _FIRST)

        def backward(self, dy: Array, need_dx: bool, **options: Any) -> Array | None:
            """Fill ``grads``; return the gradient of x where it is needed."""
            dx = super().backward(self._turned("dy channels last", dy, _LAST), need_dx, **options)
            return None if dx is None else self._turned("dx channels first", dx, _FIRST)

        def _turned(self, name: str, array: Array, order: tuple[int, ...]) -> Array:
            if array.ndim != 4:
                return array
            turned = np.transpose(np.asarray(array), order)
            out: Array = self._buffer(name, turned.shape)
            out[...] = turned
            return out

    ChannelsFirst.__name__ = kind.__name__
    ChannelsFirst.__qualname__ = kind.__qualname__
    ChannelsFirst.__module__ = kind.__module__
    return ChannelsFirst


def _turned_shape(shape: Shape, order: tuple[int, ...]) -> Shape:
    return tuple(shape[axis] for axis in order) if len(shape) == 4 else tuple(shape)
