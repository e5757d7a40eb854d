"""The transpose of a convolution."""

import math
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import pair_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import count_arg, image_shape, known_sizes
from pyconv.layers._kernel_layer import KernelLayer
from pyconv.layers._windows import check_steps

# Strides, padding, dilation and groups of a convolution.
Geometry = tuple[tuple[int, int], tuple[int, int, int, int], tuple[int, int], int]


class Conv2DTranspose(KernelLayer):
    """The transpose of ``Conv2D``: what that does to gradients, this does to images.

    It enlarges images by its strides: each pixel is spread over a window by the kernel. Zeiler et
    al., "Deconvolutional networks", 2010.

    Args:
        filters: the channels of the result.
        kernel_size: an integer, or (height, width).
        strides: an integer, or (height, width): the step between the windows of two pixels.
        padding: ``"valid"`` for all that the windows cover, ``"same"`` for a result of the
            input's size times the strides.
        output_padding: an integer, or (height, width): rows and columns beside the fewest that
            there are for this padding; below strides. None for the default size.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        dilation_rate: an integer, or (height, width): the step between a filter's cells.
        activation: a name such as ``"relu"``, a function of ``pyconv.activations``, or None.
        use_bias: whether a number is added to each map.
        kernel_initializer: first values of the kernel.
        bias_initializer: first values of the bias.
        kernel_regularizer: a penalty on the kernel, or None.
        bias_regularizer: a penalty on the bias, or None.
        activity_regularizer: a penalty on the result, or None.
        kernel_constraint: applied to the kernel after each step, or None.
        bias_constraint: applied to the bias after each step, or None.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, OH, OW, filters)``, OH ``H * sh`` for ``"same"``, ``(H - 1) * sh + max(KH, sh)`` for
        ``"valid"``; the kernel is ``(KH, KW, filters, C)``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or the input is no image.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.Conv2DTranspose(4, 3, strides=2, padding="same")
        >>> layer(np.ones((1, 8, 8, 3), "float32")).shape
        (1, 16, 16, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
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
        label = self.label
        self.filters = count_arg(label, "filters", filters)
        self.kernel_size = pair_arg(label, "kernel_size", kernel_size)
        self.strides = pair_arg(label, "strides", strides)
        self.dilation_rate = pair_arg(label, "dilation_rate", dilation_rate)
        if not isinstance(padding, str) or padding.lower() not in ("valid", "same"):
            raise ValueError(f"{label}: padding must be 'valid' or 'same', got {padding!r:.60}")
        self.padding = padding.lower()
        self.output_padding = (
            None if output_padding is None else pair_arg(label, "output_padding", output_padding, 0)
        )
        if self.output_padding is not None and any(
            more >= step for more, step in zip(self.output_padding, self.strides, strict=True)
        ):
            raise ValueError(
                f"{label}: output_padding must be below strides: `output_padding` must be strictly "
                f"less than `strides`, got {self.output_padding} and "
                f"strides={self.strides}"
            )
        check_steps(self.label, self.strides, self.dilation_rate)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, OH, OW, filters)."""
        n, h, w, c = image_shape(self.label, input_shape)
        if self.built and c != self.kernel.shape[3]:
            raise ValueError(
                f"{self.label}: it was built for {self.kernel.shape[3]} channels, got an input of "
                f"{tuple(input_shape)}"
            )
        sizes = [
            None if size is None else self._fit(axis, size)[0] for axis, size in enumerate((h, w))
        ]
        return n, *sizes, self.filters

    def _fit(self, axis: int, size: int) -> tuple[int, int, int]:
        """Return (size of the result, cells cut off before, cells cut off after)."""
        return transposed_fit(
            size,
            (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1,
            self.strides[axis],
            self.padding,
            None if self.output_padding is None else self.output_padding[axis],
        )

    def flops(self, input_shape: Shape) -> int:
        """Return the multiplications and additions of ``forward``."""
        x = known_sizes(self.label, input_shape)
        return 2 * math.prod(x) * math.prod(self.kernel_size) * self.filters

    def _create_weights(self, input_shape: Shape) -> None:
        channels = input_shape[3]
        assert channels is not None
        shape = (*self.kernel_size, self.filters, channels)
        self._add_kept("kernel", shape, self.kernel_initializer)
        if self.use_bias:
            self._add_kept("bias", (self.filters,), self.bias_initializer)

    def _geometry(self, h: int, w: int) -> tuple[tuple[int, int], Geometry]:
        oh, top, bottom = self._fit(0, h)
        ow, left, right = self._fit(1, w)
        pads = (top, bottom, left, right)
        return (oh, ow), (self.strides, pads, self.dilation_rate, 1)

    def forward(self, x: Array, training: bool, logits: bool = False) -> Array:
        """Return the maps (N, OH, OW, filters); with ``logits`` before a softmax activation."""
        self._x = x
        size, geometry = self._geometry(x.shape[1], x.shape[2])
        shape = (len(x), *size, self.filters)
        y = backend.active.conv2d_backward_input(
            x, self.kernel, shape, *geometry, self._buffer("y", shape)
        )
        if self.bias is not None:
            np.add(y, self.bias, out=y)
        if self._fused == "relu":
            backend.active.relu_forward(y, y)
        return y if logits else self._activate(y)

    def backward(self, dy: Array, need_dx: bool, logits: bool = False) -> Array | None:
        """Fill ``grads``; return the gradient of x (N, H, W, C) where it is needed."""
        x = self._x
        if not logits:
            dy = self._activation_gradient(dy)
        _, geometry = self._geometry(x.shape[1], x.shape[2])
        if self.trainable:
            grads = self.grads
            backend.active.conv2d_backward_filter(dy, x, self.kernel_size, *geometry, grads[0])
            if self.use_bias:
                backend.active.bias_backward(dy, grads[1])
        if not need_dx:
            return None
        return backend.active.conv2d_forward(
            dy, self.kernel, None, *geometry, "linear", self._buffer("dx", x.shape)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "output_padding": self.output_padding,
            "dilation_rate": self.dilation_rate,
        }


def transposed_fit(
    size: int, extent: int, stride: int, padding: str, more: int | None
) -> tuple[int, int, int]:
    """Return (size of the result, cells cut off before, cells cut off after) along an axis.

    Args:
        size: of the input.
        extent: from a window's first cell to its last.
        stride: the step between the windows of two cells.
        padding: 'valid' or 'same'.
        more: the output padding; None for the default.
    """
    if padding == "valid":
        rest = max(stride - extent, 0) if more is None else more
        return (size - 1) * stride + extent + rest, 0, 0
    if more is None:
        out = size * stride
        total = max((size - 1) * stride + extent - out, 0)
        return out, total // 2, total - total // 2
    # As Keras's: what is beside the fewest goes to the end.
    out = (size - 1) * stride + extent % 2 + more
    total = extent + extent % 2 - 2 + more
    before = extent - 1 - min((total + 1) // 2, extent - 1)
    return out, before, max((size - 1) * stride + extent - before - out, 0)
