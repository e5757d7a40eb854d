"""Scale and offset of the input."""

from typing import Any

import numpy as np

from pyconv._convert import float32_array
from pyconv._types import Array, Shape
from pyconv.layers.layer import Layer


class Rescaling(Layer):
    """``x * scale + offset``, in training and outside.

    Args:
        scale: a number, or one for each channel (the last axis).
        offset: likewise.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument does not hold numbers.
        ValueError: an argument has more than one axis or is not finite, or the input has
            another number of channels.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Rescaling(1 / 255)(np.array([[0, 51, 255]], "uint8")).round(3)
        array([[0. , 0.2, 1. ]], dtype=float32)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = self._factor("scale", scale)
        self.offset = self._factor("offset", offset)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        for name, values in (("scale", self.scale), ("offset", self.offset)):
            axis = self._channel_axis
            if values.ndim and (len(input_shape) < 2 or input_shape[axis] != values.size):
                raise ValueError(
                    f"{self.label}: {name} has {values.size} numbers, so the input must have as "
                    f"many channels, got {tuple(input_shape)}"
                )
        return tuple(input_shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return x * scale + offset."""
        y = self._buffer("y", x.shape)
        np.multiply(x, self._along(self.scale, x), out=y)
        np.add(y, self._along(self.offset, x), out=y)
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return dy * scale, written over dy, where it is needed."""
        if not need_dx:
            return None
        np.multiply(dy, self._along(self.scale, dy), out=dy)
        return dy

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "scale": self.scale.tolist(),
            "offset": self.offset.tolist(),
        }

    _channel_axis = -1

    def _along(self, values: Array, x: Array) -> Array:
        """Return numbers of the channels so that they go with x."""
        if not values.ndim or self._channel_axis == -1:
            return values
        return values.reshape(values.size, *(1,) * (x.ndim - 1 - self._channel_axis))

    def _factor(self, name: str, value: Any) -> Array:
        factor: Array = np.array(float32_array(self.label, name, value))
        if factor.ndim > 1 or not np.isfinite(factor).all():
            raise ValueError(
                f"{self.label}: {name} must be a finite number or one for each channel, "
                f"got {value!r:.60}"
            )
        return factor
