"""Convolution of volumes."""

import math
from typing import Any

from pyconv import backend
from pyconv._args import int_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import count_arg, known_sizes, sizes_arg, spatial_shape
from pyconv.layers._kernel_layer import KernelLayer
from pyconv.layers._lora import LowRank
from pyconv.layers._volume import (
    DepthTaps,
    VolumeWindows,
    planar_kernel,
    planar_shape,
    planes,
    take_planar,
)
from pyconv.layers._windows import check_steps


class Conv3D(LowRank, KernelLayer):
    """A bank of filters over volumes, with an activation.

    As ``Conv2D``, with a depth. It is done as a convolution of planes, of which each has the
    channels of all planes that a filter sees.

    Args:
        filters: how many filters, the channels of the result.
        kernel_size: an integer, or (depth, height, width).
        strides: an integer, or (depth, height, width): the step from window to window.
        padding: ``"valid"`` for none; ``"same"`` for zeros such that a stride of 1 keeps the size.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        dilation_rate: an integer, or (depth, height, width): the step between a filter's cells.
        groups: the channels are cut into so many groups, each seen by as large a share of the
            filters.
        activation: a name such as ``"relu"``, a function of ``pyconv.activations``, or None.
        use_bias: whether a number is added to each map.
        kernel_initializer: first values of the kernel, ``(KD, KH, KW, C / groups, filters)``.
        bias_initializer: first values of the bias.
        kernel_regularizer: a penalty on the kernel, or None.
        bias_regularizer: a penalty on the bias, or None.
        activity_regularizer: a penalty on the result, or None.
        kernel_constraint: applied to the kernel after each step, or None.
        bias_constraint: applied to the bias after each step, or None.
        lora_rank: columns of the matrices of ``enable_lora``, which the layer is then built with;
            None for none.
        lora_alpha: the factor of their product; None for ``lora_rank``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        ``(N, OD, OH, OW, filters)``, each size as of ``Conv2D``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the volume.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.Conv3D(4, 3, padding="same")
        >>> layer(np.ones((1, 5, 6, 7, 2), "float32")).shape
        (1, 5, 6, 7, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1),
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
        label = self.label
        self.filters = count_arg(label, "filters", filters)
        self.kernel_size = sizes_arg(label, "kernel_size", kernel_size, 3)
        self.strides = sizes_arg(label, "strides", strides, 3)
        self.dilation_rate = sizes_arg(label, "dilation_rate", dilation_rate, 3)
        self.groups = int_arg(label, "groups", groups)
        if self.filters % self.groups:
            raise ValueError(
                f"{label}: filters must be a multiple of groups, got filters={filters} and "
                f"groups={groups}"
            )
        check_steps(label, self.strides, self.dilation_rate)
        self.windows = VolumeWindows(
            label, self.kernel_size, self.strides, padding, self.dilation_rate
        )
        self.padding = self.windows.padding
        kd, sd, dd = (sizes[0] for sizes in (self.kernel_size, self.strides, self.dilation_rate))
        self._plane: Any = self.kernel_size[1:]
        self._taps = DepthTaps(kd, sd, dd, self.groups)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, OD, OH, OW, filters)."""
        shape = spatial_shape(self.label, input_shape, 3)
        channels: Any = shape[4]
        if channels % self.groups:
            raise ValueError(
                f"{self.label}: groups must divide the input's channels, got groups="
                f"{self.groups} and an input of {shape}"
            )
        if self.built and channels != self.kernel.shape[3] * self.groups:
            raise ValueError(
                f"{self.label}: it was built for {self.kernel.shape[3] * self.groups} channels, "
                f"got an input of {shape}"
            )
        return shape[0], *self.windows.output_size(shape), self.filters

    def flops(self, input_shape: Shape) -> int:
        """Return the multiplications and additions of ``forward``."""
        x = known_sizes(self.label, input_shape)
        y = known_sizes(self.label, self.compute_output_shape(x))
        return 2 * math.prod(y) * math.prod(self.kernel_size) * (x[4] // self.groups)

    def _create_weights(self, input_shape: Shape) -> None:
        channels: Any = input_shape[4]
        self._add_kernel_and_bias((*self.kernel_size, channels // self.groups, self.filters))

    def forward(self, x: Array, training: bool, logits: bool = False) -> Array:
        """Return the maps (N, OD, OH, OW, filters); with ``logits`` before a softmax activation."""
        n, d, h, w, c = self._shape = x.shape
        (self._before, *_), od, _ = self.windows.depth.fit(d, 1)
        pads, oh, ow = self.windows.plane.fit(h, w)
        self._geometry = self._of_planes(pads, self.groups)
        gathered = self._buffer("gathered", (n * od, h, w, self._taps.taps * c))
        self._images = self._taps.gather(x, self._before, od, gathered)
        planar = self._buffer("kernel", planar_shape(self.kernel.shape))
        self._planar = planar_kernel(self.kernel, planar)
        y = backend.active.conv2d_forward(
            self._images,
            self._planar,
            self.bias,
            *self._geometry,
            self._fused,
            self._buffer("y", (n * od, oh, ow, self.filters)),
        ).reshape(n, od, oh, ow, self.filters)
        return y if logits else self._activate(y)

    def _of_planes(self, pads: Any, groups: int) -> tuple[Any, Any, Any, Any]:
        return self.strides[1:], pads, self.dilation_rate[1:], groups

    def backward(self, dy: Array, need_dx: bool, logits: bool = False) -> Array | None:
        """Fill ``grads``; return the gradient of x (N, D, H, W, C) where it is needed."""
        if not logits:
            dy = self._activation_gradient(dy)
        maps, images = planes(dy), self._images
        if self.trainable:
            grads = self.grads
            grad = self._buffer("d kernel", self._planar.shape)
            backend.active.conv2d_backward_filter(images, maps, self._plane, *self._geometry, grad)
            take_planar(grads[0], grad)
            if self.use_bias:
                backend.active.bias_backward(maps, grads[1])
        if not need_dx:
            return None
        spread = self._buffer("d gathered", images.shape)
        backend.active.conv2d_backward_input(
            maps, self._planar, images.shape, *self._geometry, spread
        )
        return self._taps.scatter(spread, self._before, self._buffer("dx", self._shape))

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
