"""Convolution of each channel by itself, then of all of them."""

import math
from typing import Any

from pyconv import backend, initializers
from pyconv._args import Pair
from pyconv._types import Array, Shape
from pyconv.layers._arguments import count_arg, known_sizes
from pyconv.layers._kernel_layer import KernelLayer
from pyconv.layers.depthwise_conv2d import DepthwiseConv2D


class SeparableConv2D(KernelLayer):
    """2-D convolution of each channel by itself, then one of 1x1 over all of them.

    Args:
        filters: how many filters the second has, the channels of the result.
        kernel_size: an integer, or (height, width).
        strides: an integer, or (height, width): the step from window to window.
        padding: ``"valid"``, ``"same"``, or as for ``Conv2D``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        dilation_rate: an integer, or (height, width): the step between a filter's cells.
        depth_multiplier: how many filters a channel has in the first.
        activation: a name such as ``"relu"``, a function of ``pyconv.activations``, or None.
        use_bias: whether a number is added to each map.
        depthwise_initializer: first values of the first kernel.
        pointwise_initializer: first values of the second kernel.
        bias_initializer: first values of the bias.
        depthwise_regularizer: a penalty on the first kernel, or None.
        pointwise_regularizer: a penalty on the second kernel, or None.
        bias_regularizer: a penalty on the bias, or None.
        activity_regularizer: a penalty on the result, or None.
        depthwise_constraint: applied to the first kernel after each step, or None.
        pointwise_constraint: applied to the second kernel after each step, or None.
        bias_constraint: applied to the bias after each step, or None.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, OH, OW, filters)``, OH and OW as of ``Conv2D``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the image.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.SeparableConv2D(16, 3, padding="same")
        >>> layer(np.ones((1, 8, 8, 3), "float32")).shape
        (1, 8, 8, 16)
        >>> layer.count_params()
        91
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
        super().__init__(
            activation,
            use_bias,
            depthwise_initializer,
            bias_initializer,
            {
                "depthwise_regularizer": depthwise_regularizer,
                "pointwise_regularizer": pointwise_regularizer,
                "bias_regularizer": bias_regularizer,
                "depthwise_constraint": depthwise_constraint,
                "pointwise_constraint": pointwise_constraint,
                "bias_constraint": bias_constraint,
            },
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self._set_data_format(data_format)
        label = self.label
        self.depthwise_initializer = self.kernel_initializer
        self.pointwise_initializer = initializers.find(
            label, "pointwise_initializer", pointwise_initializer
        )
        self.filters = count_arg(label, "filters", filters)
        # The first convolution; it has no weights of its own.
        self._depthwise = DepthwiseConv2D(
            kernel_size,
            strides,
            padding,
            depth_multiplier,
            None,
            dilation_rate,
            use_bias=False,
            name=self.name,
        )
        for name in ("kernel_size", "strides", "padding", "dilation_rate", "depth_multiplier"):
            setattr(self, name, getattr(self._depthwise, name))

    @property
    def receptive_field(self) -> Pair:
        """(height, width) of the part of the input that one number of the result comes from."""
        return self._depthwise.receptive_field

    @property
    def depthwise_kernel(self) -> Array:
        """The first kernel (KH, KW, C, depth_multiplier); AttributeError before it is built."""
        return self._weight_once_built("depthwise_kernel")

    @property
    def pointwise_kernel(self) -> Array:
        """The second kernel (1, 1, C * depth_multiplier, filters); AttributeError likewise."""
        return self._weight_once_built("pointwise_kernel")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, OH, OW, filters)."""
        shape = self._depthwise.compute_output_shape(input_shape)
        depthwise = self._weights.get("depthwise_kernel")
        if depthwise is not None and input_shape[3] != depthwise.shape[2]:
            raise ValueError(
                f"{self.label}: it was built for {depthwise.shape[2]} channels, got an input of "
                f"{tuple(input_shape)}"
            )
        return (*shape[:3], self.filters)

    def flops(self, input_shape: Shape) -> int:
        """Return the multiplications and additions of ``forward``."""
        middle = known_sizes(self.label, self._depthwise.compute_output_shape(input_shape))
        return self._depthwise.flops(input_shape) + 2 * math.prod(middle) * self.filters

    def _create_weights(self, input_shape: Shape) -> None:
        channels = input_shape[3]
        assert channels is not None
        depth = self._depthwise.depth_multiplier
        shape = (*self._depthwise.kernel_size, channels, depth)
        self._add_kept("depthwise_kernel", shape, self.depthwise_initializer, "depthwise")
        point = (1, 1, channels * depth, self.filters)
        self._add_kept("pointwise_kernel", point, self.pointwise_initializer, "pointwise")
        if self.use_bias:
            self._add_kept("bias", (self.filters,), self.bias_initializer)

    def forward(self, x: Array, training: bool, logits: bool = False) -> Array:
        """Return the maps (N, OH, OW, filters); with ``logits`` before a softmax activation."""
        self._depthwise._weights["kernel"] = self._weights["depthwise_kernel"]
        self._middle = self._depthwise.forward(x, training)
        y = backend.active.conv2d_forward(
            self._middle,
            self._weights["pointwise_kernel"],
            self.bias,
            (1, 1),
            (0, 0, 0, 0),
            (1, 1),
            1,
            self._fused,
            self._buffer("y", (*self._middle.shape[:3], self.filters)),
        )
        return y if logits else self._activate(y)

    def backward(self, dy: Array, need_dx: bool, logits: bool = False) -> Array | None:
        """Fill ``grads``; return the gradient of x (N, H, W, C) where it is needed."""
        if not logits:
            dy = self._activation_gradient(dy)
        geometry = ((1, 1), (0, 0, 0, 0), (1, 1), 1)
        middle: Any = self._middle
        if self.trainable:
            grads = self.grads
            backend.active.conv2d_backward_filter(middle, dy, (1, 1), *geometry, grads[1])
            if self.use_bias:
                backend.active.bias_backward(dy, grads[2])
            self._depthwise._grads = grads[:1]
        if not need_dx and not self.trainable:
            return None
        spread = backend.active.conv2d_backward_input(
            dy,
            self._weights["pointwise_kernel"],
            middle.shape,
            *geometry,
            self._buffer("d middle", middle.shape),
        )
        self._depthwise.trainable = self.trainable
        return self._depthwise.backward(spread, need_dx)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        config["depthwise_initializer"] = config.pop("kernel_initializer")
        own = self._depthwise
        return {
            **config,
            "pointwise_initializer": initializers.serialize(self.pointwise_initializer),
            "filters": self.filters,
            "kernel_size": own.kernel_size,
            "strides": own.strides,
            "padding": own.padding,
            "dilation_rate": own.dilation_rate,
            "depth_multiplier": own.depth_multiplier,
        }
