"""Convolution along lines: signals, or one axis of an image."""

from typing import Any

from pyconv.layers._line_conv import LineConv
from pyconv.layers._lora import LowRank
from pyconv.layers.conv2d import Conv2D


class Conv1D(LowRank, LineConv):
    """A bank of filters along lines, with an activation.

    As ``Conv2D`` on images of one row. The kernel is ``(kernel_size, C / groups, filters)``.

    Args:
        filters: how many filters, the channels of the result.
        kernel_size: how many cells a filter sees, an integer.
        strides: an integer: the step from window to window.
        padding: ``"valid"`` for none; ``"same"`` for zeros such that a stride of 1 keeps the
            length; ``"causal"`` for zeros before the line, so that no result sees a
            cell behind it; or, beyond Keras, ``((0, 0), (before, after))``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        dilation_rate: an integer: the step between a filter's cells.
        groups: the channels are cut into so many groups, each seen by as large a share of the
            filters.
        activation: a name such as ``"relu"``, a function of ``pyconv.activations``, or None.
        use_bias: whether a number is added to each map.
        kernel_initializer: first values of the kernel.
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
        ``(N, L, C)``, or ``(N, C, L)`` where channels are first.

    Output shape:
        ``(N, OL, filters)``, OL as of ``Conv2D``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the line.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.Conv1D(8, 3, padding="causal")
        >>> layer(np.ones((1, 16, 3), "float32")).shape
        (1, 16, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._take_rank(lora_rank, lora_alpha)
        self._convolve_by(
            Conv2D,
            padding,
            {
                "filters": filters,
                "kernel_size": kernel_size,
                "strides": strides,
                "dilation_rate": dilation_rate,
                "groups": groups,
                "activation": activation,
                "use_bias": use_bias,
                "kernel_initializer": kernel_initializer,
                "bias_initializer": bias_initializer,
                "kernel_regularizer": kernel_regularizer,
                "bias_regularizer": bias_regularizer,
                "kernel_constraint": kernel_constraint,
                "bias_constraint": bias_constraint,
            },
        )
