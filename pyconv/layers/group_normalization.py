"""Group normalization."""

from typing import Any

import numpy as np

from pyconv import constraints, initializers, regularizers
from pyconv._args import bool_arg, float_arg, in_other_words, int_arg, shown
from pyconv._types import Array, Shape
from pyconv.layers._axes import channel_axis
from pyconv.layers._standardize import Standardize, summed
from pyconv.layers.layer import Layer


class GroupNormalization(Layer):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, group by group of channels.

    Mean and variance are over a group's channels and all places of each sample, in training and
    outside. One group is layer normalization, one a channel instance normalization. Wu and He,
    2018.

    Args:
        groups: how many groups the channels are cut into; it divides them. -1 for one a channel.
        axis: the axis of the channels, not the batch (0).
        epsilon: added to the variance.
        center: whether ``beta`` is added.
        scale: whether ``gamma`` is multiplied by.
        beta_initializer: first values of ``beta``, one a channel.
        gamma_initializer: first values of ``gamma``, one a channel.
        beta_regularizer: a penalty on ``beta``, or None.
        gamma_regularizer: a penalty on ``gamma``, or None.
        beta_constraint: applied to ``beta`` after each step, or None.
        gamma_constraint: applied to ``gamma`` after each step, or None.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any with this axis: ``(N, H, W, C)``, ``(N, C)``.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or the groups do not divide the channels.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.array([[1.0, 3.0, 10.0, 30.0]])
        >>> pyconv.layers.GroupNormalization(groups=2, epsilon=0)(x)
        array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        super().__init__(**kwargs)
        label = self.label
        with in_other_words("Received an invalid value for argument `groups`"):
            self.groups = int_arg(label, "groups", groups, -1)
        if self.groups == 0:
            raise ValueError(
                f"{label}: Received an invalid value for argument `groups`, expected a positive "
                f"integer (or `-1` for instance normalization), got {shown(groups)}"
            )
        self.axis = int_arg(label, "axis", axis, -32, 32)
        self.epsilon = float_arg(label, "epsilon", epsilon)
        self.center = bool_arg(label, "center", center)
        self.scale = bool_arg(label, "scale", scale)
        self.beta_initializer = initializers.find(label, "beta_initializer", beta_initializer)
        self.gamma_initializer = initializers.find(label, "gamma_initializer", gamma_initializer)
        self.beta_regularizer = regularizers.find(label, "beta_regularizer", beta_regularizer)
        self.gamma_regularizer = regularizers.find(label, "gamma_regularizer", gamma_regularizer)
        self.beta_constraint = constraints.find(label, "beta_constraint", beta_constraint)
        self.gamma_constraint = constraints.find(label, "gamma_constraint", gamma_constraint)
        self._standardize = Standardize(self.epsilon)

    @property
    def gamma(self) -> Array | None:
        """The factors (C,), or None where there are none or the layer is not built."""
        return self._weights.get("gamma")

    @property
    def beta(self) -> Array | None:
        """The offsets (C,), or None where there are none or the layer is not built."""
        return self._weights.get("beta")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        channels: Any = input_shape[channel_axis(self.label, self.axis, input_shape)]
        groups = channels if self.groups == -1 else self.groups
        if channels < groups:
            raise ValueError(
                f"{self.label}: Number of groups ({groups}) cannot be more than the number of "
                f"channels ({channels})"
            )
        if channels % groups:
            raise ValueError(
                f"{self.label}: groups must divide the channels, got groups={groups} and "
                f"{channels} channels. In Keras's words: the groups must be a multiple of the "
                "number of channels."
            )
        for weight in self._weights.values():
            if weight.shape != (channels,):
                raise ValueError(
                    f"{self.label}: it was built for {weight.size} channels, got an input of "
                    f"{tuple(input_shape)}"
                )
        return tuple(input_shape)

    def _create_weights(self, input_shape: Shape) -> None:
        channels: Any = input_shape[self.axis]
        if self.scale:
            self._add_weight(
                "gamma",
                (channels,),
                self.gamma_initializer,
                self.gamma_regularizer,
                self.gamma_constraint,
            )
        if self.center:
            self._add_weight(
                "beta",
                (channels,),
                self.beta_initializer,
                self.beta_regularizer,
                self.beta_constraint,
            )

    def _in_groups(self, rows: Array) -> Array:
        """Return (N, ..., C) as (N, places, groups, channels of a group)."""
        channels = rows.shape[-1]
        groups = channels if self.groups == -1 else self.groups
        return rows.reshape(len(rows), -1, groups, channels // groups)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the normalized batch."""
        rows = np.moveaxis(np.asarray(x), self.axis, -1)
        result = self._standardize.forward(self._in_groups(rows), (1, 3)).reshape(rows.shape)
        if self.gamma is not None:
            result = result * np.asarray(self.gamma)
        if self.beta is not None:
            result = result + np.asarray(self.beta)
        y = self._buffer("y", x.shape)
        y[...] = np.moveaxis(result, -1, self.axis)
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill ``grads``; return the gradient of x, written over dy, where it is needed."""
        grad = np.moveaxis(np.asarray(dy), self.axis, -1)
        normal = self._standardize.normal
        others = tuple(range(grad.ndim - 1))
        if self.trainable:
            grads = iter(self.grads)
            if self.gamma is not None:
                next(grads)[...] = summed(grad * normal.reshape(grad.shape), others)
            if self.beta is not None:
                next(grads)[...] = summed(grad, others)
        if not need_dx:
            return None
        if self.gamma is not None:
            grad = grad * np.asarray(self.gamma)
        dx = self._standardize.backward(self._in_groups(grad)).reshape(grad.shape)
        dy[...] = np.moveaxis(dx, -1, self.axis)
        return dy

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config: dict[str, Any] = {
            **super().get_config(),
            "groups": self.groups,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
        }
        for name in ("beta", "gamma"):
            for kind, module in _KINDS.items():
                key = f"{name}_{kind}"
                config[key] = module.serialize(getattr(self, key))
        return config


_KINDS: dict[str, Any] = {
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}
