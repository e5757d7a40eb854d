"""Layer normalization."""

from typing import Any

import numpy as np

from pyconv import constraints, initializers, regularizers
from pyconv._args import bool_arg, float_arg
from pyconv._types import Array, Shape
from pyconv.layers._axes import axes_arg, several_axes
from pyconv.layers._standardize import Standardize, summed
from pyconv.layers.layer import Layer


class LayerNormalization(Layer):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, sample by sample.

    Mean and variance are over ``axis`` of each sample, in training and outside. Ba et al., 2016.

    Args:
        axis: an axis, or a list of axes, not the batch (0).
        epsilon: added to the variance.
        center: whether ``beta`` is added.
        scale: whether ``gamma`` is multiplied by.
        beta_initializer: first values of ``beta``.
        gamma_initializer: first values of ``gamma``.
        beta_regularizer: a penalty on ``beta``, or None.
        gamma_regularizer: a penalty on ``gamma``, or None.
        beta_constraint: applied to ``beta`` after each step, or None.
        gamma_constraint: applied to ``gamma`` after each step, or None.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``; and
            ``rms_scaling``, which is deprecated in Keras: x is divided as above and multiplied by
            ``gamma``, and its mean is not taken off.

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
        >>> pyconv.layers.LayerNormalization(epsilon=0)(np.array([[1.0, 3.0]]))
        array([[-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(**kwargs)
        label = self.label
        self.axis = axes_arg(label, axis)
        self.epsilon = float_arg(label, "epsilon", epsilon)
        self.center = bool_arg(self.label, "center", center)
        self.scale = bool_arg(self.label, "scale", scale)
        self.rms_scaling = bool_arg(self.label, "rms_scaling", rms_scaling)
        self._standardize = Standardize(self.epsilon, centered=not self.rms_scaling)
        self.beta_initializer = initializers.find(label, "beta_initializer", beta_initializer)
        self.gamma_initializer = initializers.find(label, "gamma_initializer", gamma_initializer)
        self.beta_regularizer = regularizers.find(label, "beta_regularizer", beta_regularizer)
        self.gamma_regularizer = regularizers.find(label, "gamma_regularizer", gamma_regularizer)
        self.beta_constraint = constraints.find(label, "beta_constraint", beta_constraint)
        self.gamma_constraint = constraints.find(label, "gamma_constraint", gamma_constraint)

    @property
    def gamma(self) -> Array | None:
        """The factors, or None where there are none or the layer is not built."""
        return self._weights.get("gamma")

    @property
    def beta(self) -> Array | None:
        """The offsets, or None where there are none or the layer is not built."""
        return self._weights.get("beta")

    def _axes(self, shape: Shape) -> tuple[int, ...]:
        return several_axes(self.label, self.axis, shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        sizes = tuple(input_shape[axis] for axis in self._axes(input_shape))
        for weight in self._weights.values():
            if weight.shape != sizes:
                raise ValueError(
                    f"{self.label}: it was built for axes of {weight.shape}, got an input of "
                    f"{tuple(input_shape)}"
                )
        return tuple(input_shape)

    def _create_weights(self, input_shape: Shape) -> None:
        sizes = tuple(n for axis in self._axes(input_shape) if (n := input_shape[axis]) is not None)
        if self.scale or self.rms_scaling:
            self._add_weight(
                "gamma",
                sizes,
                self.gamma_initializer,
                self.gamma_regularizer,
                self.gamma_constraint,
            )
        if self.center and not self.rms_scaling:
            self._add_weight(
                "beta", sizes, self.beta_initializer, self.beta_regularizer, self.beta_constraint
            )

    def forward(self, x: Array, training: bool) -> Array:
        """Return the normalized batch."""
        values = np.asarray(x)
        result = self._standardize.forward(values, self._axes(values.shape))
        y = self._buffer("y", x.shape)
        for weight, apply in ((self.gamma, np.multiply), (self.beta, np.add)):
            if weight is not None:
                result = apply(result, self._spread(weight, x.ndim))
        y[...] = result
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill ``grads``; return the gradient of x, written over dy, where it is needed."""
        grad, normal = np.asarray(dy), self._standardize.normal
        axes = self._axes(normal.shape)
        others = tuple(axis for axis in range(normal.ndim) if axis not in axes)
        if self.trainable:
            grads = iter(self.grads)
            if self.gamma is not None:
                next(grads)[...] = summed(grad * normal, others)
            if self.beta is not None:
                next(grads)[...] = summed(grad, others)
        if not need_dx:
            return None
        if self.gamma is not None:
            grad = grad * self._spread(self.gamma, normal.ndim)
        dy[...] = self._standardize.backward(grad)
        return dy

    def _spread(self, weight: Any, rank: int) -> Array:
        """Return a weight with an axis of 1 for each other axis of the input."""
        host = np.asarray(weight)
        shape = [1] * rank
        for axis, size in zip(self._axes(self._standardize.normal.shape), host.shape, strict=True):
            shape[axis] = size
        return host.reshape(shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **({"rms_scaling": True} if self.rms_scaling else {}),
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }
