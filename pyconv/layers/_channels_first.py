"""Layers that take channels first, (N, C, H, W): axes are turned at their border."""

import copy
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from pyconv._types import Array, Shape

Turn = Callable[[Sequence[Any]], tuple[Any, ...]]


@cache
def channels_first(kind: Any) -> Any:
    """Return the class of layers that turn axes around what ``kind`` does."""

    class ChannelsFirst(kind):  # type: ignore[misc]
        """A layer of images (N, C, H, W), of lines (N, C, L) or of volumes (N, C, D, H, W)."""

        of_last = kind  # the class of the same layer of images whose channels are last

        def compute_output_shape(self, input_shape: Shape) -> Shape:
            """Return the shape of the result, the channels first where it is an image."""
            if getattr(kind, "takes_one_image", False):
                if isinstance(input_shape, dict):
                    images = self.compute_output_shape(input_shape["images"])
                    return {**input_shape, "images": images}
                if len(input_shape) == 3:  # one image
                    return self.compute_output_shape((1, *input_shape))[1:]
            return _first(super().compute_output_shape(_last(input_shape)))

        def __reduce_ex__(self, protocol: Any) -> Any:
            """Return what pickle keeps: the class is made anew, as modules do not have it."""
            _, (_, *arguments), *rest = super().__reduce_ex__(max(protocol, 2))
            return _unpickled, (kind, *arguments), *rest

        def flops(self, input_shape: Shape) -> int:
            """Return the multiplications and additions of ``forward``."""
            plain = copy.copy(self)  # a layer counts by shapes of its own order
            plain.__class__ = kind
            return int(plain.flops(_last(input_shape)))

        def _create_weights(self, input_shape: Shape) -> None:
            super()._create_weights(_last(input_shape))

        def forward(self, x: Array, training: bool, **options: Any) -> Array:
            """Return the layer's result."""
            turned = self._turned("x channels last", x, _last)
            y = super().forward(turned, training, **options)
            return self._turned("y channels first", y, _first)

        def backward(self, dy: Array, need_dx: bool, **options: Any) -> Array | None:
            """Fill ``grads``; return the gradient of x where it is needed."""
            dx = super().backward(self._turned("dy channels last", dy, _last), need_dx, **options)
            return None if dx is None else self._turned("dx channels first", dx, _first)

        def _turned(self, name: str, array: Array, turn: Turn) -> Array:
            if array.ndim < 3:
                return array
            turned = np.transpose(np.asarray(array), turn(range(array.ndim)))
            out: Array = self._buffer(name, turned.shape)
            out[...] = turned
            return out

    ChannelsFirst.__name__ = kind.__name__
    ChannelsFirst.__qualname__ = kind.__qualname__
    ChannelsFirst.__module__ = kind.__module__
    return ChannelsFirst


def _unpickled(kind: Any, *arguments: Any) -> Any:
    """Return a layer that pickle fills."""
    made = channels_first(kind)
    return made.__new__(made, *arguments)


def _last(axes: Sequence[Any]) -> tuple[Any, ...]:
    """Return a shape, or axes, with the channels at the end; fewer than three as they are."""
    return (axes[0], *axes[2:], axes[1]) if len(axes) > 2 else tuple(axes)


def _first(axes: Sequence[Any]) -> tuple[Any, ...]:
    """Return a shape, or axes, with the channels behind the batch."""
    return (axes[0], axes[-1], *axes[1:-1]) if len(axes) > 2 else tuple(axes)
