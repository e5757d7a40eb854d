"""A convolution of volumes turned round, which makes them larger."""

import math
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import shown
from pyconv._types import Array, Shape
from pyconv.layers._arguments import count_arg, known_sizes, sizes_arg, spatial_shape
from pyconv.layers._kernel_layer import KernelLayer
from pyconv.layers._volume import DepthTaps, planar_kernel, planar_shape, planes, take_planar
from pyconv.layers._windows import check_steps
from pyconv.layers.conv2d_transpose import transposed_fit


class Conv3DTranspose(KernelLayer):
    """What the gradient of a convolution of volumes does, with an activation.

    As ``Conv2DTranspose``, with a depth. The kernel is ``(KD, KH, KW, filters, C)``.

    Args:
        filters: the channels of the result.
        kernel_size: an integer, or (depth, height, width).
        strides: an integer, or (depth, height, width): the step between the windows of two cells.
        padding: ``"valid"`` for all that the windows cover, ``"same"`` for a result of the
            input's size times the strides.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        output_padding: an integer, or (depth, height, width): cells beside the fewest that there
            are for this padding; below strides. None for the default size.
        dilation_rate: an integer, or (depth, height, width): the step between a filter's cells.
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
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        ``(N, OD, OH, OW, filters)``, each size as of ``Conv2DTranspose``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the volume.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.Conv3DTranspose(4, 3, strides=2, padding="same")
        >>> layer(np.ones((1, 2, 3, 4, 2), "float32")).shape
        (1, 4, 6, 8, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1, 1),
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
        self.kernel_size = sizes_arg(label, "kernel_size", kernel_size, 3)
        self.strides = sizes_arg(label, "strides", strides, 3)
        self.dilation_rate = sizes_arg(label, "dilation_rate", dilation_rate, 3)
        if not isinstance(padding, str) or padding.lower() not in ("valid", "same"):
            raise ValueError(f"{label}: padding must be 'valid' or 'same', got {shown(padding)}")
        self.padding = padding.lower()
        self.output_padding = (
            None
            if output_padding is None
            else sizes_arg(label, "output_padding", output_padding, 3, 0)
        )
        for more, step in zip(self.output_padding or (0, 0, 0), self.strides, strict=True):
            if more >= step:
                raise ValueError(
                    f"{label}: output_padding must be below strides: `output_padding` must be "
                    f"strictly less than `strides`, got {self.output_padding} and "
                    f"strides={self.strides}"
                )
        check_steps(label, self.strides, self.dilation_rate)
        self._plane: Any = self.kernel_size[1:]
        self._taps = DepthTaps(self.kernel_size[0], self.strides[0], self.dilation_rate[0])

    def _fit(self, axis: int, size: int) -> tuple[int, int, int]:
        """Return (size of the result, cells cut off before, cells cut off after)."""
        return transposed_fit(
            size,
            (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1,
            self.strides[axis],
            self.padding,
            None if self.output_padding is None else self.output_padding[axis],
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, OD, OH, OW, filters)."""
        n, *sizes, c = spatial_shape(self.label, input_shape, 3)
        if self.built and c != self.kernel.shape[4]:
            raise ValueError(
                f"{self.label}: it was built for {self.kernel.shape[4]} channels, got an input of "
                f"{tuple(input_shape)}"
            )
        large = [None if s is None else self._fit(axis, s)[0] for axis, s in enumerate(sizes)]
        return n, *large, self.filters

    def flops(self, input_shape: Shape) -> int:
        """Return the multiplications and additions of ``forward``."""
        x = known_sizes(self.label, input_shape)
        return 2 * math.prod(x) * math.prod(self.kernel_size) * self.filters

    def _create_weights(self, input_shape: Shape) -> None:
        channels: Any = input_shape[4]
        shape = (*self.kernel_size, self.filters, channels)
        self._add_kept("kernel", shape, self.kernel_initializer)
        if self.use_bias:
            self._add_kept("bias", (self.filters,), self.bias_initializer)

    def forward(self, x: Array, training: bool, logits: bool = False) -> Array:
        """Return the result (N, OD, OH, OW, filters)."""
        self._x = x
        n, *sizes, _ = x.shape
        (od, self._before, _), (oh, top, bottom), (ow, left, right) = (
            self._fit(axis, size) for axis, size in enumerate(sizes)
        )
        pads = (top, bottom, left, right)
        self._geometry = self._of_planes(pads, 1)
        planar = self._buffer("kernel", planar_shape(self.kernel.shape))
        self._planar = planar_kernel(self.kernel, planar)
        shape = (n * sizes[0], oh, ow, self._taps.taps * self.filters)
        spread = self._buffer("spread", shape)
        backend.active.conv2d_backward_input(
            planes(x), self._planar, shape, *self._geometry, spread
        )
        out = self._buffer("y", (n, od, oh, ow, self.filters))
        y = self._taps.scatter(spread, self._before, out)
        if self.bias is not None:
            np.add(y, self.bias, out=y)
        if self._fused == "relu":
            backend.active.relu_forward(y, y)
        return y if logits else self._activate(y)

    def _of_planes(self, pads: Any, groups: int) -> tuple[Any, Any, Any, Any]:
        return self.strides[1:], pads, self.dilation_rate[1:], groups

    def backward(self, dy: Array, need_dx: bool, logits: bool = False) -> Array | None:
        """Fill ``grads``; return the gradient of x (N, D, H, W, C) where it is needed."""
        x = self._x
        if not logits:
            dy = self._activation_gradient(dy)
        n, d, h, w, c = x.shape
        gathered = self._buffer("gathered", (n * d, *dy.shape[2:4], self._planar.shape[2]))
        images = self._taps.gather(dy, self._before, d, gathered)
        if self.trainable:
            grads = self.grads
            grad = self._buffer("d kernel", self._planar.shape)
            backend.active.conv2d_backward_filter(
                images, planes(x), self._plane, *self._geometry, grad
            )
            take_planar(grads[0], grad)
            if self.use_bias:
                backend.active.bias_backward(planes(dy), grads[1])
        if not need_dx:
            return None
        out = self._buffer("dx", (n * d, h, w, c))
        dx = backend.active.conv2d_forward(
            images, self._planar, None, *self._geometry, "linear", out
        )
        return dx.reshape(x.shape)

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
