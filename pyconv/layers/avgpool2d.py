"""Two-dimensional average pooling."""

from typing import Any, cast

from pyconv import backend
from pyconv._types import Array
from pyconv.layers._pool2d import Pool2D


class AveragePooling2D(Pool2D):
    """The mean of each window of each channel; padding is not counted.

    Args:
        pool_size: the window: an integer, or (height, width).
        strides: the step from window to window, by default ``pool_size``.
        padding: ``"valid"``: only whole windows; ``"same"``: the result has
            ``ceil(H / stride)`` rows; or, beyond Keras, an integer or
            ``((top, bottom), (left, right))``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``, for which axes are turned
            at the border of the layer.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, OH, OW, C)``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the image.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.array([[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]])
        >>> pyconv.layers.AveragePooling2D(2)(x.reshape(1, 4, 4, 1)).reshape(2, 2)
        array([[3.75, 1.25],
               [3.75, 2.  ]], dtype=float32)
    """

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: Any = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the means (N, OH, OW, C)."""
        n, h, w, c = x.shape
        pads, oh, ow = self.windows.fit(h, w)
        self._x = x
        return backend.active.avgpool2d_forward(
            x, self.pool_size, self.strides, pads, self._buffer("y", (n, oh, ow, c))
        )

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x (N, H, W, C) where it is needed."""
        if not need_dx:
            return None
        assert self._x is not None
        shape = cast(tuple[int, int, int, int], self._x.shape)
        pads, _, _ = self.windows.fit(shape[1], shape[2])
        return backend.active.avgpool2d_backward(
            dy, shape, self.pool_size, self.strides, pads, self._buffer("dx", shape)
        )
