"""Convolution of each channel of lines by itself."""

from typing import Any

from pyconv.layers._line_conv import LineConv
from pyconv.layers.depthwise_conv2d import DepthwiseConv2D


class DepthwiseConv1D(LineConv):
    """Filters of each channel of lines by itself, with an activation.

    As ``DepthwiseConv2D`` on images of one row. The kernel is
    ``(kernel_size, C, depth_multiplier)``.

    Args:
        kernel_size: how many cells a filter sees, an integer.
        strides: an integer: the step from window to window.
        padding: ``"valid"`` for none; ``"same"`` for zeros such that a stride of 1 keeps the
            length.
        depth_multiplier: how many filters a channel has.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        dilation_rate: an integer: the step between a filter's cells.
        activation: a name such as ``"relu"``, a function of ``pyconv.activations``, or None.
        use_bias: whether a number is added to each map.
        depthwise_initializer: first values of the depthwise kernel.
        bias_initializer: first values of the bias.
        depthwise_regularizer: a penalty on the depthwise kernel, or None.
        bias_regularizer: a penalty on the bias, or None.
        activity_regularizer: a penalty on the result, or None.
        depthwise_constraint: applied to the depthwise kernel after each step, or None.
        bias_constraint: applied to the bias after each step, or None.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``, or ``(N, C, L)`` where channels are first.

    Output shape:
        ``(N, OL, C * depth_multiplier)``, OL as of ``Conv2D``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the line.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.DepthwiseConv1D(3, depth_multiplier=2)
        >>> layer(np.ones((1, 16, 3), "float32")).shape
        (1, 14, 6)
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._convolve_by(
            DepthwiseConv2D,
            padding,
            {
                "kernel_size": kernel_size,
                "strides": strides,
                "depth_multiplier": depth_multiplier,
                "dilation_rate": dilation_rate,
                "activation": activation,
                "use_bias": use_bias,
                "depthwise_initializer": depthwise_initializer,
                "bias_initializer": bias_initializer,
                "depthwise_regularizer": depthwise_regularizer,
                "bias_regularizer": bias_regularizer,
                "depthwise_constraint": depthwise_constraint,
                "bias_constraint": bias_constraint,
            },
        )
