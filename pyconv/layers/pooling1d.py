"""Pooling of lines."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._types import Array
from pyconv.layers._arguments import sizes_arg
from pyconv.layers._line import Line
from pyconv.layers._masks import of_steps
from pyconv.layers.avgpool2d import AveragePooling2D
from pyconv.layers.global_avgpool2d import GlobalAveragePooling2D
from pyconv.layers.global_maxpool2d import GlobalMaxPooling2D
from pyconv.layers.layer import Layer
from pyconv.layers.maxpool2d import MaxPooling2D


class _Pool1D(Line):
    """A layer that makes one number of each window of each channel."""

    def _pool_by(self, kind: type[Layer], pool_size: Any, strides: Any, padding: Any) -> None:
        """Have a layer of ``kind`` do the work."""
        self.pool_size = sizes_arg(self.label, "pool_size", pool_size, 1)
        self.strides = (
            self.pool_size if strides is None else sizes_arg(self.label, "strides", strides, 1)
        )
        self._work_by(
            kind, pool_size=(1, *self.pool_size), strides=(1, *self.strides), padding=padding
        )
        self.padding = self.row.padding

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
        }


class MaxPooling1D(_Pool1D):
    """The largest number of each window along lines, for each channel.

    Args:
        pool_size: the window, an integer.
        strides: the step from window to window, by default ``pool_size``.
        padding: ``"valid"``: only whole windows; ``"same"``: the result has ``ceil(L / strides)``
            cells. Padding never wins.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``, or ``(N, C, L)`` where channels are first.

    Output shape:
        ``(N, OL, C)``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the line.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.MaxPooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]]))[0, :, 0]
        array([3., 2.], dtype=float32)
    """

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: Any = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self._pool_by(MaxPooling2D, pool_size, strides, padding)


class AveragePooling1D(_Pool1D):
    """The mean of each window along lines, for each channel.

    Args:
        pool_size: the window, an integer.
        strides: the step from window to window, by default ``pool_size``.
        padding: ``"valid"``: only whole windows; ``"same"``: the result has ``ceil(L / strides)``
            cells. Padding is not counted.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``, or ``(N, C, L)`` where channels are first.

    Output shape:
        ``(N, OL, C)``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or no window fits into the line.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.AveragePooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]]))[0, :, 0]
        array([2., 1.], dtype=float32)
    """

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: Any = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self._pool_by(AveragePooling2D, pool_size, strides, padding)


class _GlobalPool1D(Line):
    """A layer that makes one number of each channel."""

    def _pool_by(self, kind: type[Layer], keepdims: bool) -> None:
        self._work_by(kind, keepdims=keepdims)
        self.keepdims = self.row.keepdims

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "keepdims": self.keepdims}


class GlobalAveragePooling1D(_GlobalPool1D):
    """The mean of each channel along the whole line, behind a ``Masking`` of the cells that count.

    Args:
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        keepdims: True keeps the axis of the line, with size 1.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``, or ``(N, C, L)`` where channels are first.

    Output shape:
        ``(N, C)``, or ``(N, 1, C)`` with ``keepdims``.

    Raises:
        ValueError: an argument has a wrong value, or the input has not three axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.GlobalAveragePooling1D()(np.array([[[1.0], [3.0]]]))
        array([[2.]], dtype=float32)
    """

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self._pool_by(GlobalAveragePooling2D, keepdims)
        self._shares: Any = None  # of each cell in the mean

    def forward(self, x: Array, training: bool, **options: Any) -> Array:
        """Return the means."""
        mask = self._taken_mask()
        if mask is None:
            self._shares = None
            return super().forward(x, training, **options)
        counted = of_steps(self, mask, np.asarray(x)).astype(np.float32)[..., None]
        with np.errstate(invalid="ignore"):  # as Keras, NaN where nothing counts
            self._shares = counted / counted.sum(axis=1, keepdims=True)
        means = (np.asarray(x) * self._shares).sum(axis=1, keepdims=self.keepdims)
        result: Array = backend.on_device(means.astype(np.float32))
        return result

    def backward(self, dy: Array, need_dx: bool, **options: Any) -> Array | None:
        """Return the gradient of x (N, L, C) where it is needed."""
        if self._shares is None or not need_dx:
            return super().backward(dy, need_dx, **options)
        grad = np.asarray(dy).reshape(len(dy), 1, -1)
        result: Array = backend.on_device((grad * self._shares).astype(np.float32))
        return result


class GlobalMaxPooling1D(_GlobalPool1D):
    """The maximum of each channel along the whole line; its first cell gets the gradient.

    Args:
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        keepdims: True keeps the axis of the line, with size 1.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``, or ``(N, C, L)`` where channels are first.

    Output shape:
        ``(N, C)``, or ``(N, 1, C)`` with ``keepdims``.

    Raises:
        ValueError: an argument has a wrong value, or the input has not three axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.GlobalMaxPooling1D()(np.array([[[1.0], [3.0]]]))
        array([[3.]], dtype=float32)
    """

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self._pool_by(GlobalMaxPooling2D, keepdims)
