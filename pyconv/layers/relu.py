"""The rectified linear unit as a layer."""

import math
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._types import Array, Shape
from pyconv.layers._arguments import number_arg
from pyconv.layers.layer import Layer


class ReLU(Layer):
    """``max(x, 0)``, and its variants.

    ``f(x) = max_value`` where ``x >= max_value``, ``x`` where ``threshold < x < max_value``,
    and ``negative_slope * (x - threshold)`` up to the threshold.

    Args:
        max_value: the largest result, at least 0, or None.
        negative_slope: the slope below the threshold, at least 0.
        threshold: where the slope changes, at least 0.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is negative.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.ReLU()(np.array([[-3.0, 2.0]]))
        array([[0., 2.]], dtype=float32)
        >>> pyconv.layers.ReLU(max_value=6)(np.array([[-3.0, 7.0]]))
        array([[0., 6.]], dtype=float32)
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = (
            None if max_value is None else self._not_negative("max_value", max_value, "a")
        )
        self.negative_slope = self._not_negative("negative_slope", negative_slope, "None or a")
        self.threshold = self._not_negative("threshold", threshold, "None or a")
        self.is_plain = self.max_value is None and self.negative_slope == 0 == self.threshold
        self._x: Array | None = None
        self._y: Array | None = None

    def _not_negative(self, name: str, value: Any, what: str) -> float:
        """Return a number; the error for another value ends in Keras's words."""
        try:
            return number_arg(self.label, name, value, 0)
        except ValueError as error:
            raise type(error)(
                f"{error}: {name} of a ReLU layer cannot be {what} negative value"
            ) from None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        return tuple(input_shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the activation of x."""
        y = self._buffer("y", x.shape)
        self._x, self._y = x, y
        if self.is_plain:
            return backend.active.relu_forward(x, y)
        below, above = self._outside(x)
        np.copyto(y, x)
        np.subtract(y, self.threshold, out=y, where=below)
        self._slope(y, below)
        np.copyto(y, np.float32(self._top), where=above)
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, written over dy, where it is needed."""
        if not need_dx:
            return None
        assert self._x is not None
        assert self._y is not None
        if self.is_plain:
            return backend.active.relu_backward(self._y, dy, dy)
        below, above = self._outside(self._x)
        self._slope(dy, below)
        np.copyto(dy, np.float32(0), where=above)
        return dy

    def _slope(self, values: Array, below: Any) -> None:
        if self.negative_slope == 0:
            # Not a product: that of 0 and infinity is NaN.
            np.copyto(values, np.float32(0), where=below)
        else:
            np.multiply(values, self.negative_slope, out=values, where=below)

    @property
    def _top(self) -> float:
        return math.inf if self.max_value is None else self.max_value

    def _outside(self, x: Array) -> tuple[Any, Any]:
        """Masks of the cells up to the threshold and of those at the maximum."""
        below = self._buffers.get("below", x.shape, np.bool_)
        above = self._buffers.get("above", x.shape, np.bool_)
        np.less_equal(x, self.threshold, out=below)
        np.greater_equal(x, self._top, out=above)
        return below, np.greater(above, below, out=above)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }
