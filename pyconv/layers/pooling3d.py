"""Pooling of volumes: over the windows of each plane, then along the depth."""

import math
from typing import Any

from pyconv import backend
from pyconv._types import Array, Shape
from pyconv.layers._arguments import spatial_shape
from pyconv.layers._volume import VolumeWindows, columns, planes, pool_arguments
from pyconv.layers.global_avgpool2d import GlobalAveragePooling2D
from pyconv.layers.global_maxpool2d import GlobalMaxPooling2D
from pyconv.layers.layer import Layer


class _Pool3D(Layer):
    """A layer that makes one number of each window of each channel of a volume.

    Each of ``_forward`` and ``_backward`` is done twice, for planes and for what comes of them: a
    maximum of maxima is the maximum, and a mean of means as many is the mean.
    """

    def __init__(
        self, pool_size: Any, strides: Any, padding: Any, data_format: str | None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)
        self.pool_size, self.strides = pool_arguments(self.label, pool_size, strides)
        self.windows = VolumeWindows(self.label, self.pool_size, self.strides, padding)
        self.padding = self.windows.padding

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, OD, OH, OW, C)."""
        shape = spatial_shape(self.label, input_shape, 3)
        return shape[0], *self.windows.output_size(shape), shape[4]

    def _forward(self, x: Array, *geometry: Any) -> Array:
        raise NotImplementedError

    def _backward(self, x: Array, dy: Array, *geometry: Any) -> Array:
        raise NotImplementedError

    def forward(self, x: Array, training: bool) -> Array:
        """Return the result of the windows."""
        n, d, h, w, c = x.shape
        self._x = x
        self._plane = self._geometry(self.windows.plane, h, w)
        self._depth = self._geometry(self.windows.depth, d, 1)
        _, oh, ow = self.windows.plane.fit(h, w)
        _, od, _ = self.windows.depth.fit(d, 1)
        flat = self._forward(planes(x), *self._plane, self._buffer("flat", (n * d, oh, ow, c)))
        self._flat = flat.reshape(n, d, oh, ow, c)
        out = self._buffer("y", (n, od, oh * ow, c))
        y = self._forward(columns(self._flat), *self._depth, out)
        return y.reshape(n, od, oh, ow, c)

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x where it is needed."""
        if not need_dx:
            return None
        flat, x = self._flat, self._x
        out = self._buffer("d flat", columns(flat).shape)
        dflat = self._backward(columns(flat), columns(dy), *self._depth, out).reshape(flat.shape)
        out = self._buffer("dx", planes(x).shape)
        return self._backward(planes(x), planes(dflat), *self._plane, out).reshape(x.shape)

    def _geometry(self, windows: Any, h: int, w: int) -> tuple[Any, ...]:
        return windows.size, windows.strides, windows.fit(h, w)[0]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
        }


class MaxPooling3D(_Pool3D):
    """The largest number of each window of each channel of a volume.

    The gradient goes to the first largest number in the window.

    Args:
        pool_size: the window: an integer, or (depth, height, width).
        strides: the step from window to window, by default ``pool_size``.
        padding: ``"valid"``: only whole windows; ``"same"``: ``ceil(size / stride)`` of them along
            each axis. Padding never wins.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        ``(N, OD, OH, OW, C)``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the volume.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.MaxPooling3D(2)(np.arange(8.0).reshape(1, 2, 2, 2, 1)).ravel()
        array([7.], dtype=float32)
    """

    def __init__(
        self,
        pool_size: Any = (2, 2, 2),
        strides: Any = None,
        padding: Any = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)

    def _forward(self, x: Array, *geometry: Any) -> Array:
        return backend.active.maxpool2d_forward(x, *geometry)

    def _backward(self, x: Array, dy: Array, *geometry: Any) -> Array:
        return backend.active.maxpool2d_backward(x, dy, *geometry)


class AveragePooling3D(_Pool3D):
    """The mean of each window of each channel of a volume.

    Args:
        pool_size: the window: an integer, or (depth, height, width).
        strides: the step from window to window, by default ``pool_size``.
        padding: ``"valid"``: only whole windows; ``"same"``: ``ceil(size / stride)`` of them along
            each axis. Padding is not counted.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        ``(N, OD, OH, OW, C)``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the volume.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.AveragePooling3D(2)(np.arange(8.0).reshape(1, 2, 2, 2, 1)).ravel()
        array([3.5], dtype=float32)
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

    def _forward(self, x: Array, *geometry: Any) -> Array:
        return backend.active.avgpool2d_forward(x, *geometry)

    def _backward(self, x: Array, dy: Array, *geometry: Any) -> Array:
        shape: Any = x.shape
        return backend.active.avgpool2d_backward(dy, shape, *geometry)


class _GlobalPool3D(Layer):
    """A layer that makes one number of each channel, as one of images does of a long line."""

    def __init__(self, kind: Any, data_format: str | None, keepdims: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)
        self._of_images = kind(keepdims=keepdims, name=self.name)
        self.keepdims = self._of_images.keepdims

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, C) or (N, 1, 1, 1, C)."""
        n, *_, c = spatial_shape(self.label, input_shape, 3)
        return (n, 1, 1, 1, c) if self.keepdims else (n, c)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the numbers of the channels."""
        self._shape = x.shape
        n, *sizes, c = x.shape
        y: Array = self._of_images.forward(x.reshape(n, 1, math.prod(sizes), c), training)
        return y.reshape(n, 1, 1, 1, c) if self.keepdims else y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x where it is needed."""
        n, c = self._shape[0], self._shape[-1]
        dx = self._of_images.backward(dy.reshape(n, c), need_dx)
        return None if dx is None else dx.reshape(self._shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "keepdims": self.keepdims}


class GlobalAveragePooling3D(_GlobalPool3D):
    """The mean of each channel over the whole volume.

    Args:
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        keepdims: True keeps the three axes of the volume, with size 1.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        ``(N, C)``, or ``(N, 1, 1, 1, C)`` with ``keepdims``.

    Raises:
        ValueError: an argument has a wrong value, or the input has not five axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.GlobalAveragePooling3D()(np.arange(8.0).reshape(1, 2, 2, 2, 1))
        array([[3.5]], dtype=float32)
    """

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(GlobalAveragePooling2D, data_format, keepdims, **kwargs)


class GlobalMaxPooling3D(_GlobalPool3D):
    """The maximum of each channel over the whole volume; its first cell gets the gradient.

    Args:
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        keepdims: True keeps the three axes of the volume, with size 1.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        ``(N, C)``, or ``(N, 1, 1, 1, C)`` with ``keepdims``.

    Raises:
        ValueError: an argument has a wrong value, or the input has not five axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.GlobalMaxPooling3D()(np.arange(8.0).reshape(1, 2, 2, 2, 1))
        array([[7.]], dtype=float32)
    """

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(GlobalMaxPooling2D, data_format, keepdims, **kwargs)
