"""Convolution of each channel by itself."""

import math
from typing import Any

from pyconv import backend
from pyconv._args import pair_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import count_arg, image_shape, known_sizes
from pyconv.layers._kernel_layer import KernelLayer
from pyconv.layers._windows import HasWindows, Windows, check_steps


class DepthwiseConv2D(HasWindows, KernelLayer):
    """2-D convolution in which each channel has filters of its own.

    Args:
        kernel_size: an integer, or (height, width).
        strides: an integer, or (height, width): the step from window to window.
        padding: ``"valid"``, ``"same"``, or as for ``Conv2D``.
        depth_multiplier: how many filters a channel has.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        dilation_rate: an integer, or (height, width): the step between a filter's cells.
        activation: a name such as ``"relu"``, a function of ``pyconv.activations``, or None.
        use_bias: whether a number is added to each map.
        depthwise_initializer: first values of the kernel.
        bias_initializer: first values of the bias.
        depthwise_regularizer: a penalty on the kernel, or None.
        bias_regularizer: a penalty on the bias, or None.
        activity_regularizer: a penalty on the result, or None.
        depthwise_constraint: applied to the kernel after each step, or None.
        bias_constraint: applied to the bias after each step, or None.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, OH, OW, C * depth_multiplier)``, OH and OW as of ``Conv2D``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the image.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)
        >>> layer(np.ones((1, 8, 8, 3), "float32")).shape
        (1, 8, 8, 6)
        >>> layer.kernel.shape
        (3, 3, 3, 2)
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
        super().__init__(
            activation,
            use_bias,
            depthwise_initializer,
            bias_initializer,
            {
                "depthwise_regularizer": depthwise_regularizer,
                "bias_regularizer": bias_regularizer,
                "depthwise_constraint": depthwise_constraint,
                "bias_constraint": bias_constraint,
            },
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self._set_data_format(data_format)
        label = self.label
        self.depthwise_initializer = self.kernel_initializer
        self.depth_multiplier = count_arg(label, "depth_multiplier", depth_multiplier)
        self.kernel_size = pair_arg(label, "kernel_size", kernel_size)
        self.strides = pair_arg(label, "strides", strides)
        self.dilation_rate = pair_arg(label, "dilation_rate", dilation_rate)
        self.windows = Windows(label, self.kernel_size, self.strides, padding, self.dilation_rate)
        self.padding = self.windows.padding
        check_steps(self.label, self.strides, self.dilation_rate)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, OH, OW, C * depth_multiplier)."""
        shape = image_shape(self.label, input_shape)
        channels = shape[3]
        assert channels is not None
        if self.built and channels != self.kernel.shape[2]:
            raise ValueError(
                f"{self.label}: it was built for {self.kernel.shape[2]} channels, got an input of "
                f"{shape}"
            )
        return (shape[0], *self.windows.output_size(shape), channels * self.depth_multiplier)

    def flops(self, input_shape: Shape) -> int:
        """Return the multiplications and additions of ``forward``.

        Example:
            >>> import pyconv
            >>> pyconv.layers.DepthwiseConv2D(2, padding="same").flops((None, 32, 32, 3))
            24576
        """
        y = known_sizes(self.label, self.compute_output_shape(input_shape))
        return 2 * math.prod(y) * math.prod(self.kernel_size)

    def _create_weights(self, input_shape: Shape) -> None:
        channels = input_shape[3]
        assert channels is not None
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self._add_kept("kernel", shape, self.kernel_initializer, "depthwise")
        if self.use_bias:
            maps = (channels * self.depth_multiplier,)
            self._add_kept("bias", maps, self.bias_initializer)

    def _grouped(self, kernel: Array) -> Array:
        """Return the kernel (KH, KW, C, M) as that of C groups, (KH, KW, 1, C * M)."""
        return kernel.reshape(*self.kernel_size, 1, -1)

    def forward(self, x: Array, training: bool, logits: bool = False) -> Array:
        """Return the maps (N, OH, OW, C * depth_multiplier)."""
        n, h, w, c = x.shape
        pads, oh, ow = self.windows.fit(h, w)
        y = backend.active.conv2d_forward(
            x,
            self._grouped(self.kernel),
            self.bias,
            self.strides,
            pads,
            self.dilation_rate,
            c,
            self._fused,
            self._buffer("y", (n, oh, ow, c * self.depth_multiplier)),
        )
        self._x = x
        return y if logits else self._activate(y)

    def backward(self, dy: Array, need_dx: bool, logits: bool = False) -> Array | None:
        """Fill ``grads``; return the gradient of x (N, H, W, C) where it is needed."""
        x: Any = self._x
        if not logits:
            dy = self._activation_gradient(dy)
        pads, _, _ = self.windows.fit(x.shape[1], x.shape[2])
        geometry = (self.strides, pads, self.dilation_rate, x.shape[3])
        if self.trainable:
            grads = self.grads
            backend.active.conv2d_backward_filter(
                x, dy, self.kernel_size, *geometry, self._grouped(grads[0])
            )
            if self.use_bias:
                backend.active.bias_backward(dy, grads[1])
        if not need_dx:
            return None
        return backend.active.conv2d_backward_input(
            dy, self._grouped(self.kernel), x.shape, *geometry, self._buffer("dx", x.shape)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        config["depthwise_initializer"] = config.pop("kernel_initializer")
        return {
            **config,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "depth_multiplier": self.depth_multiplier,
            "dilation_rate": self.dilation_rate,
        }
