"""Rectified linear units that let some of what is below 0 through."""

from typing import Any

import numpy as np

from pyconv import constraints, initializers, regularizers
from pyconv._args import int_arg
from pyconv._types import Array, Shape
from pyconv.activations import elementwise
from pyconv.activations.function import Elementwise
from pyconv.layers._arguments import number_arg
from pyconv.layers.layer import Layer


class _Elementwise(Layer):
    """A layer of one of the activation functions that need their input."""

    _function: Elementwise
    _x: Array

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        return tuple(input_shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the activation of x."""
        self._x = x
        return self._function.forward(x, self._buffer("y", x.shape))

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, written over dy, where it is needed."""
        return self._function.backward(self._x, dy, dy) if need_dx else None


class LeakyReLU(_Elementwise):
    """``x`` above 0, ``negative_slope * x`` below; Maas et al., 2013.

    Args:
        negative_slope: the slope below 0, at least 0.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``; ``alpha`` is
            an older name of ``negative_slope``.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        TypeError: ``negative_slope`` is not a number.
        ValueError: it is negative.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.LeakyReLU(0.5)(np.array([[-3.0, 2.0]]))
        array([[-1.5,  2. ]], dtype=float32)
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        if negative_slope is None:
            raise ValueError(
                f"{self.label}: negative_slope must be a number, got None. The negative_slope "
                "value of a Leaky ReLU layer cannot be None"
            )
        self.negative_slope = number_arg(self.label, "negative_slope", negative_slope, 0)
        self._function = elementwise.LeakyReLU(self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(_Elementwise):
    """``x`` above 0, ``alpha * (exp(x) - 1)`` below; Clevert et al., 2016.

    Args:
        alpha: the limit below 0, negated.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        TypeError: ``alpha`` is not a number.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.ELU()(np.array([[-1.0, 2.0]])).round(3)
        array([[-0.632,  2.   ]], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = number_arg(self.label, "alpha", alpha)
        self._function = elementwise.ELU(self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "alpha": self.alpha}


class PReLU(Layer):
    """``x`` above 0, ``alpha * x`` below, where each ``alpha`` is learned; He et al., 2015.

    Args:
        alpha_initializer: first values of ``alpha``.
        alpha_regularizer: a penalty on ``alpha``, or None.
        alpha_constraint: applied to ``alpha`` after each step, or None.
        shared_axes: axes, from 1, along which all cells have one ``alpha``: ``[1, 2]`` for one a
            channel of an image.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any whose sizes are known beside the batch and the shared axes.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or the input has other sizes than those that
            the layer was built for.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.PReLU(alpha_initializer=pyconv.initializers.Constant(0.5))
        >>> layer(np.array([[-3.0, 2.0]]))
        array([[-1.5,  2. ]], dtype=float32)
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        label = self.label
        self.alpha_initializer = initializers.find(label, "alpha_initializer", alpha_initializer)
        self.alpha_regularizer = regularizers.find(label, "alpha_regularizer", alpha_regularizer)
        self.alpha_constraint = constraints.find(label, "alpha_constraint", alpha_constraint)
        if shared_axes is not None and not isinstance(shared_axes, (list, tuple)):
            shared_axes = [shared_axes]
        self.shared_axes = (
            None
            if shared_axes is None
            else [int_arg(label, "shared_axes", axis, 1, 32) for axis in shared_axes]
        )

    @property
    def alpha(self) -> Array:
        """The slopes below 0; AttributeError before the layer is built."""
        return self._weight_once_built("alpha")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        shape = self._alpha_shape(input_shape)
        if self.built and shape != self.alpha.shape:
            raise ValueError(
                f"{self.label}: it was built for an alpha of {self.alpha.shape}, got an input of "
                f"{tuple(input_shape)}"
            )
        return tuple(input_shape)

    def _alpha_shape(self, input_shape: Shape) -> tuple[int, ...]:
        shared = self.shared_axes or []
        if max(shared, default=0) >= len(input_shape):
            raise ValueError(
                f"{self.label}: shared_axes are {shared}, got an input of {tuple(input_shape)}"
            )
        sizes = [1 if i in shared else n for i, n in enumerate(input_shape)][1:]
        if not sizes or None in sizes:
            raise ValueError(
                f"{self.label}: all sizes beside the batch and shared_axes must be known, got "
                f"{tuple(input_shape)}"
            )
        return tuple(n for n in sizes if n is not None)

    def _create_weights(self, input_shape: Shape) -> None:
        self._add_weight(
            "alpha",
            self._alpha_shape(input_shape),
            self.alpha_initializer,
            self.alpha_regularizer,
            self.alpha_constraint,
        )

    def forward(self, x: Array, training: bool) -> Array:
        """Return the activation of x."""
        self._x = x
        y = self._buffer("y", x.shape)
        np.minimum(x, 0, out=y)
        np.multiply(y, self.alpha, out=y)
        np.add(y, np.maximum(x, 0), out=y)
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill ``grads``; return the gradient of x, written over dy, where it is needed."""
        x = self._x
        if self.trainable:
            below = np.asarray(np.minimum(x, 0) * dy)
            axes = tuple(i for i, n in enumerate((1, *self.alpha.shape)) if n == 1)
            total = below.sum(axis=axes, keepdims=True, dtype=np.float64)
            self.grads[0][...] = total.astype(np.float32).reshape(self.alpha.shape)
        if not need_dx:
            return None
        host = np.asarray(x)
        slope = np.where(host > 0, np.float32(1), np.asarray(self.alpha))
        dy[...] = np.asarray(dy) * slope
        return dy

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
