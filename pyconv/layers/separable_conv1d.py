"""A convolution along lines cut into two: channel by channel, then across channels."""

from typing import Any

from pyconv._types import Array
from pyconv.layers._line_conv import LineConv
from pyconv.layers.separable_conv2d import SeparableConv2D


class SeparableConv1D(LineConv):
    """A depthwise convolution along lines and one of a cell's channels, with an activation.

    As ``SeparableConv2D`` on images of one row. The kernels are
    ``(kernel_size, C, depth_multiplier)`` and ``(1, C * depth_multiplier, filters)``.

    Args:
        filters: how many filters, the channels of the result.
        kernel_size: how many cells a filter sees, an integer.
        strides: an integer: the step from window to window.
        padding: ``"valid"`` for none; ``"same"`` for zeros such that a stride of 1 keeps the
            length.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        dilation_rate: an integer: the step between a filter's cells.
        depth_multiplier: how many filters a channel has.
        activation: a name such as ``"relu"``, a function of ``pyconv.activations``, or None.
        use_bias: whether a number is added to each map.
        depthwise_initializer: first values of the depthwise kernel.
        pointwise_initializer: first values of the pointwise kernel.
        bias_initializer: first values of the bias.
        depthwise_regularizer: a penalty on the depthwise kernel, or None.
        pointwise_regularizer: a penalty on the pointwise kernel, or None.
        bias_regularizer: a penalty on the bias, or None.
        activity_regularizer: a penalty on the result, or None.
        depthwise_constraint: applied to the depthwise kernel after each step, or None.
        pointwise_constraint: applied to the pointwise kernel after each step, or None.
        bias_constraint: applied to the bias after each step, or None.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``, or ``(N, C, L)`` where channels are first.

    Output shape:
        ``(N, OL, filters)``, OL as of ``Conv2D``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the line.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.SeparableConv1D(8, 3, strides=2)
        >>> layer(np.ones((1, 16, 3), "float32")).shape
        (1, 7, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._convolve_by(
            SeparableConv2D,
            padding,
            {
                "filters": filters,
                "kernel_size": kernel_size,
                "strides": strides,
                "dilation_rate": dilation_rate,
                "depth_multiplier": depth_multiplier,
                "activation": activation,
                "use_bias": use_bias,
                "depthwise_initializer": depthwise_initializer,
                "pointwise_initializer": pointwise_initializer,
                "bias_initializer": bias_initializer,
                "depthwise_regularizer": depthwise_regularizer,
                "pointwise_regularizer": pointwise_regularizer,
                "bias_regularizer": bias_regularizer,
                "depthwise_constraint": depthwise_constraint,
                "pointwise_constraint": pointwise_constraint,
                "bias_constraint": bias_constraint,
            },
        )

    @property
    def depthwise_kernel(self) -> Array:
        """The first kernel; AttributeError before the layer is built."""
        return self._weight_once_built("depthwise_kernel")

    @property
    def pointwise_kernel(self) -> Array:
        """The second kernel; AttributeError before the layer is built."""
        return self._weight_once_built("pointwise_kernel")
