"""Samples as rows of numbers."""

import math
from typing import Any

import numpy as np

from pyconv._types import Array, Shape
from pyconv.layers._arguments import check_data_format
from pyconv.layers.layer import Layer


class Flatten(Layer):
    """Each sample as one row of numbers, in row-major order: ``(h*W + w)*C + c`` for an image.

    Args:
        data_format: None or ``"channels_last"``; or ``"channels_first"``, for which the first axis
            of a sample goes to its end before, so that weights fit either way.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, ...)``.

    Output shape:
        ``(N, product of the other sizes)``.

    Raises:
        ValueError: ``data_format`` has another value.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Flatten()(np.zeros((2, 4, 4, 64))).shape
        (2, 1024)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_data_format(self.label, data_format)
        self.data_format = data_format or "channels_last"
        self._shape: tuple[int, ...] = ()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, product of the other sizes)."""
        if len(input_shape) < 1:
            raise ValueError(f"{self.label}: input must have a batch axis, got {input_shape}")
        size = None
        if None not in input_shape[1:]:
            size = math.prod(n for n in input_shape[1:] if n is not None)
        return input_shape[0], size

    def forward(self, x: Array, training: bool) -> Array:
        """Return x as (N, product of the other sizes), without a copy where channels are last."""
        self._shape = x.shape
        if self.data_format == "channels_first" and x.ndim > 2:
            turned = np.moveaxis(np.asarray(x), 1, -1)
            y = self._buffer("y", turned.shape)
            y[...] = turned
            x = y
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return dy in the shape of x, without a copy where channels are last."""
        if not need_dx:
            return None
        if self.data_format == "channels_first" and len(self._shape) > 2:
            n, channels, *rest = self._shape
            dx = self._buffer("dx", self._shape)
            dx[...] = np.moveaxis(np.asarray(dy).reshape(n, *rest, channels), -1, 1)
            return dx
        return dy.reshape(self._shape)
