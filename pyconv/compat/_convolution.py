"""Convolutions as functions of images and filters, and Conv2D layers of the user's made of one."""

from typing import Any

import numpy as np

from pyconv.compat._autodiff import Taped, made, unwrapped
from pyconv.compat._eager import array_of, eager
from pyconv.compat._operation import operation
from pyconv.compat._tensor import Tensor
from pyconv.ops.conv2d import conv2d as forward
from pyconv.ops.conv2d import conv2d_backward_filter, conv2d_backward_input


def conv2d(
    x: Any, kernel: Any, strides: Any = (1, 1), padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """Return the convolution of images with filters, with its gradients.

    Images have as many channels as the filters, or a multiple: they are then cut into groups.
    """
    if isinstance(x, Tensor) or isinstance(kernel, Tensor):
        return operation(conv2d, (x, kernel, strides, padding, data_format, dilation_rate), {})
    if data_format not in (None, "channels_last"):
        raise NotImplementedError(
            f"conv: data_format must be 'channels_last', got {data_format!r:.60}"
        )
    a = np.ascontiguousarray(unwrapped(x), np.float32)
    w = np.ascontiguousarray(unwrapped(kernel), np.float32)
    if a.ndim != 4 or w.ndim != 4 or w.shape[2] == 0 or a.shape[3] % w.shape[2]:
        raise ValueError(
            "conv: the input must be images (N, H, W, C) and the kernel filters "
            f"(KH, KW, C / groups, OC), got {a.shape} and {w.shape}"
        )
    how: dict[str, Any] = {
        "strides": strides,
        "padding": padding.lower(),
        "dilation": dilation_rate,
        "groups": a.shape[3] // w.shape[2],
    }
    shape: Any = a.shape

    def of_x(dy: Any) -> Any:
        return conv2d_backward_input(np.ascontiguousarray(dy, np.float32), w, shape, **how)

    def of_kernel(dy: Any) -> Any:
        return conv2d_backward_filter(a, np.ascontiguousarray(dy, np.float32), w.shape[:2], **how)

    y = forward(a, w, **how)
    if isinstance(x, Taped) or isinstance(kernel, Taped):
        return made(y, [(x, of_x), (kernel, of_kernel)])
    return eager(y)


def conv1d(
    x: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Return the convolution of lines with filters, with its gradients."""
    rows = np.expand_dims(array_of(x), 1)
    filters = np.expand_dims(array_of(kernel), 0)
    y = conv2d(rows, filters, (1, strides), padding, data_format, (1, dilation_rate))
    return np.squeeze(y, 1)


class Convolved:
    """What ``Conv2D`` has for classes of the user's own that change how it convolves."""

    def __init_subclass__(cls: Any, **kwargs: Any) -> None:
        """Have a ``convolution_op`` of the user's own be run, by a call that it is a part of."""
        if "convolution_op" in vars(cls) and "call" not in vars(cls):
            cls.call = _by_its_op
        super().__init_subclass__(**kwargs)

    def convolution_op(self: Any, inputs: Any, kernel: Any) -> Any:
        """Return the maps of images, without bias and activation."""
        given = self.strides, self.padding, None, self.dilation_rate
        return conv2d(inputs, kernel, *given)


def _by_its_op(self: Any, inputs: Any) -> Any:
    y = self.convolution_op(inputs, self.kernel)
    return self.activation(y if self.bias is None else y + self.bias)
