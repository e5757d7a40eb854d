"""Two-dimensional convolution."""

import math
from typing import Any

from pyconv import backend
from pyconv._args import in_other_words, int_arg, pair_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import count_arg, image_shape, known_sizes
from pyconv.layers._kernel_layer import KernelLayer
from pyconv.layers._lora import LowRank
from pyconv.layers._windows import HasWindows, Windows, check_steps


class Conv2D(LowRank, HasWindows, KernelLayer):
    """2-D convolution: each filter slides over the image and gives one map of the result.

    As in every deep-learning library the filter is not flipped (cross-correlation):
    ``y[n, i, j, o] = activation(sum over h, w, c of
    x[n, i*sh + h*dh - top, j*sw + w*dw - left, c] * kernel[h, w, c, o] + bias[o])``.

    Args:
        filters: how many filters, the channels of the result.
        kernel_size: an integer, or (height, width).
        strides: an integer, or (height, width): the step from window to window.
        padding: ``"valid"`` for none; ``"same"`` for zeros such that a stride of 1 keeps the
            image's size (an odd cell of padding goes to the bottom and the right); or, beyond
            Keras, an integer for all sides or ``((top, bottom), (left, right))``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``, for which axes are turned
            at the border of the layer.
        dilation_rate: an integer, or (height, width): the step between a filter's cells. It
            cannot be above 1 together with strides.
        groups: the channels are cut into so many groups, each seen by as large a share of the
            filters; it divides both numbers.
        activation: a name such as ``"relu"``, a function of ``pyconv.activations``, or None.
        use_bias: whether a number is added to each map.
        kernel_initializer: first values of the kernel.
        bias_initializer: first values of the bias.
        kernel_regularizer: a penalty on the kernel that is added to the loss, such as ``"l2"`` or
            ``pyconv.regularizers.L2(1e-4)``, or None.
        bias_regularizer: a penalty on the bias, or None.
        activity_regularizer: a penalty on the result, divided by the size of the batch, or None.
        kernel_constraint: applied to the kernel after each step, such as
            ``pyconv.constraints.MaxNorm(2)``, or None.
        bias_constraint: applied to the bias after each step, or None.
        lora_rank: columns of the matrices of ``enable_lora``, which the layer is then built with;
            None for none.
        lora_alpha: the factor of their product; None for ``lora_rank``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, OH, OW, filters)``, where OH is ``floor((H + top + bottom - dh*(KH - 1) - 1) / sh)
        + 1``, and ``ceil(H / sh)`` for ``"same"``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, groups do not divide the channels or the
            filters, or no window fits into the image.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.Conv2D(16, 2, padding="same", activation="relu")
        >>> layer(np.ones((1, 32, 32, 3), "float32")).shape
        (1, 32, 32, 16)
        >>> layer.kernel.shape, layer.count_params()
        ((2, 2, 3, 16), 208)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            {
                "kernel_regularizer": kernel_regularizer,
                "bias_regularizer": bias_regularizer,
                "kernel_constraint": kernel_constraint,
                "bias_constraint": bias_constraint,
            },
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self._set_data_format(data_format)
        self._take_rank(lora_rank, lora_alpha)
        self.filters = count_arg(self.label, "filters", filters)
        self.kernel_size = pair_arg(self.label, "kernel_size", kernel_size)
        self.strides = pair_arg(self.label, "strides", strides)
        self.dilation_rate = pair_arg(self.label, "dilation_rate", dilation_rate)
        with in_other_words(
            f"The number of groups must be a positive integer. Received: groups={groups!r:.60}."
        ):
            self.groups = int_arg(self.label, "groups", groups)
        if self.filters % self.groups:
            raise ValueError(
                f"{self.label}: filters must be a multiple of groups, got filters={filters} and "
                f"groups={groups}. The number of filters must be evenly divisible by the number of "
                f"groups. Received: groups={groups}, filters={filters}."
            )
        check_steps(self.label, self.strides, self.dilation_rate)
        self.windows = Windows(
            self.label, self.kernel_size, self.strides, padding, self.dilation_rate
        )
        self.padding = self.windows.padding
        self._x: Array | None = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, OH, OW, filters)."""
        shape = image_shape(self.label, input_shape)
        channels = shape[3]
        assert channels is not None
        if channels % self.groups:
            raise ValueError(
                f"{self.label}: groups must divide the input's channels, got groups="
                f"{self.groups} and an input of {shape}"
            )
        if self.built and channels != self.kernel.shape[2] * self.groups:
            raise ValueError(
                f"{self.label}: it was built for {self.kernel.shape[2] * self.groups} channels, "
                f"got an input of {shape}"
            )
        return (shape[0], *self.windows.output_size(shape), self.filters)

    def flops(self, input_shape: Shape) -> int:
        """Return the multiplications and additions of ``forward``, as the direct algorithm has it.

        Example:
            >>> import pyconv
            >>> pyconv.layers.Conv2D(16, 2, padding="same").flops((None, 32, 32, 3))
            393216
        """
        x = known_sizes(self.label, input_shape)
        y = known_sizes(self.label, self.compute_output_shape(x))
        return 2 * math.prod(y) * math.prod(self.kernel_size) * (x[3] // self.groups)

    def _create_weights(self, input_shape: Shape) -> None:
        channels = input_shape[3]
        assert channels is not None
        self._add_kernel_and_bias((*self.kernel_size, channels // self.groups, self.filters))

    def forward(self, x: Array, training: bool, logits: bool = False) -> Array:
        """Return the maps (N, OH, OW, filters); with ``logits`` before a softmax activation."""
        n, h, w, _ = x.shape
        pads, oh, ow = self.windows.fit(h, w)
        y = backend.active.conv2d_forward(
            x,
            self.kernel,
            self.bias,
            self.strides,
            pads,
            self.dilation_rate,
            self.groups,
            self._fused,
            self._buffer("y", (n, oh, ow, self.filters)),
        )
        self._x = x
        return y if logits else self._activate(y)

    def backward(self, dy: Array, need_dx: bool, logits: bool = False) -> Array | None:
        """Fill ``grads``; return the gradient of x (N, H, W, C) where it is needed."""
        x = self._x
        assert x is not None
        if not logits:
            dy = self._activation_gradient(dy)
        pads, _, _ = self.windows.fit(x.shape[1], x.shape[2])
        geometry = (self.strides, pads, self.dilation_rate, self.groups)
        if self.trainable:
            grads = self.grads
            backend.active.conv2d_backward_filter(x, dy, self.kernel_size, *geometry, grads[0])
            if self.use_bias:
                backend.active.bias_backward(dy, grads[1])
        if not need_dx:
            return None
        shape: Any = x.shape
        return backend.active.conv2d_backward_input(
            dy, self.kernel, shape, *geometry, self._buffer("dx", shape)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
        }
