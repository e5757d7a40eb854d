"""The largest value of each channel of an image."""

from typing import cast

from pyconv import backend
from pyconv._types import Array
from pyconv.layers.global_avgpool2d import GlobalAveragePooling2D


class GlobalMaxPooling2D(GlobalAveragePooling2D):
    """The maximum of each channel over the whole image; its first cell gets the gradient.

    Args:
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        keepdims: True keeps the two axes of the image, with size 1.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, C)``, or ``(N, 1, 1, C)`` with ``keepdims``.

    Raises:
        ValueError: an argument has a wrong value, or the input is no image.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.arange(4).reshape(1, 2, 2, 1)
        >>> pyconv.layers.GlobalMaxPooling2D()(x)
        array([[3.]], dtype=float32)
    """

    def forward(self, x: Array, training: bool) -> Array:
        """Return the maxima."""
        n, h, w, c = cast(tuple[int, int, int, int], x.shape)
        self._x = x
        out = self._buffer("y", (n, 1, 1, c))
        y = backend.active.maxpool2d_forward(x, (h, w), (h, w), (0, 0, 0, 0), out)
        return y if self.keepdims else y.reshape(n, c)

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x (N, H, W, C) where it is needed."""
        if not need_dx:
            return None
        n, h, w, c = self._x.shape
        return backend.active.maxpool2d_backward(
            self._x,
            dy.reshape(n, 1, 1, c),
            (h, w),
            (h, w),
            (0, 0, 0, 0),
            self._buffer("dx", self._x.shape),
        )
