"""Normalization by the length of the sample: its root mean square, or its norm."""

from typing import Any

import numpy as np

from pyconv._args import float_arg
from pyconv._types import Array, Shape
from pyconv.initializers import Ones
from pyconv.layers._axes import axes_arg, several_axes
from pyconv.layers._standardize import Standardize, summed
from pyconv.layers.layer import Layer


class RMSNormalization(Layer):
    """``scale * x / sqrt(mean(x ** 2) + epsilon)``, sample by sample.

    The mean is over ``axis``. Zhang and Sennrich, "Root mean square layer normalization", 2019.

    Args:
        axis: an axis, or a list of axes, not the batch (0).
        epsilon: added to the mean of squares.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any with these axes, whose sizes are known.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or the input other sizes than the layer was
            built for.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.RMSNormalization()(np.array([[1.0, -1.0, 2.0, -2.0]])).round(3)
        array([[ 0.632, -0.632,  1.265, -1.265]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axes_arg(self.label, axis)
        self.epsilon = float_arg(self.label, "epsilon", epsilon)
        self._standardize = Standardize(self.epsilon, centered=False, by_square=True)

    @property
    def scale(self) -> Array:
        """The factors; AttributeError before the layer is built."""
        return self._weight_once_built("scale")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        sizes = tuple(input_shape[a] for a in several_axes(self.label, self.axis, input_shape))
        weight = self._weights.get("scale")
        if weight is not None and weight.shape != sizes:
            raise ValueError(
                f"{self.label}: it was built for axes of {weight.shape}, got an input of "
                f"{tuple(input_shape)}"
            )
        return tuple(input_shape)

    def _create_weights(self, input_shape: Shape) -> None:
        sizes: Any = (input_shape[a] for a in several_axes(self.label, self.axis, input_shape))
        self._add_weight("scale", tuple(sizes), Ones())

    def _spread(self, shape: tuple[int, ...]) -> Array:
        """Return the scale with an axis of 1 for each other axis of the input."""
        axes = several_axes(self.label, self.axis, shape)
        wide = [size if axis in axes else 1 for axis, size in enumerate(shape)]
        return np.asarray(self.scale).reshape(wide)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the normalized batch."""
        values = np.asarray(x)
        axes = several_axes(self.label, self.axis, values.shape)
        y = self._buffer("y", x.shape)
        y[...] = self._standardize.forward(values, axes) * self._spread(values.shape)
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill ``grads``; return the gradient of x, written over dy, where it is needed."""
        grad, normal = np.asarray(dy), self._standardize.normal
        if self.trainable:
            axes = several_axes(self.label, self.axis, normal.shape)
            others = tuple(axis for axis in range(normal.ndim) if axis not in axes)
            self.grads[0][...] = summed(grad * normal, others)
        if not need_dx:
            return None
        dy[...] = self._standardize.backward(grad * self._spread(normal.shape))
        return dy

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class UnitNormalization(Layer):
    """``x / sqrt(sum(x ** 2))``: each sample, along ``axis``, has length 1.

    Args:
        axis: an axis, or a list of axes.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any with these axes.

    Output shape:
        That of the input.

    Raises:
        TypeError: ``axis`` holds no integers.
        ValueError: the input has not these axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.UnitNormalization()(np.array([[3.0, 4.0]]))
        array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        try:
            self.axis = axes_arg(self.label, axis)
        except TypeError as error:
            raise TypeError(
                f"{error}. Invalid value for `axis` argument: expected an int or a list/tuple of "
                "ints."
            ) from None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ValueError(
                f"{self.label}: Axis {self.axis} is out of bounds for input shape "
                f"{tuple(input_shape)}"
            )
        return tuple(input_shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the normalized batch."""
        values = np.asarray(x)
        self._axes = tuple(axis % x.ndim for axis in self.axis)
        squares = np.square(values).sum(axis=self._axes, keepdims=True, dtype=np.float64)
        # As Keras, which lets nothing be divided by less than 1e-12.
        self._inverse = (1 / np.maximum(np.sqrt(squares), 1e-12)).astype(np.float32)
        self._unit = values * self._inverse
        y = self._buffer("y", x.shape)
        y[...] = self._unit
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, written over dy, where it is needed."""
        if not need_dx:
            return None
        grad = np.asarray(dy)
        along = (grad * self._unit).sum(axis=self._axes, keepdims=True, dtype=np.float64)
        dy[...] = ((grad - self._unit * along) * self._inverse).astype(np.float32)
        return dy

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}
