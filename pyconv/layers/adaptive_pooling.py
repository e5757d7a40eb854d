"""Pooling to a size that is given, whatever that of the input."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array, Shape
from pyconv.layers._arguments import sizes_arg, spatial_shape
from pyconv.layers._interpolation import along
from pyconv.layers.layer import Layer


class _AdaptivePool(Layer):
    """A layer that makes one number of each of ``output_size`` windows along each axis.

    Window i of n goes from cell ``floor(i * size / n)`` to ``ceil((i + 1) * size / n)``, so that
    windows may overlap. Axes are done one after the other.
    """

    rank: ClassVar[int]

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)
        self.output_size = sizes_arg(self.label, "output_size", output_size, self.rank)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the batch, ``output_size`` and the channels."""
        shape = spatial_shape(self.label, input_shape, self.rank)
        return shape[0], *self.output_size, shape[-1]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "output_size": self.output_size}


class _AdaptiveAverage(_AdaptivePool):
    """Means: a mean of means over windows of one size is the mean."""

    def forward(self, x: Array, training: bool) -> Array:
        """Return the means."""
        self._shape = x.shape
        result = np.asarray(x)
        for axis, count in enumerate(self.output_size, 1):
            result = along(result, axis, _means(x.shape[axis], count))
        y = self._buffer("y", result.shape)
        y[...] = result
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x where it is needed."""
        if not need_dx:
            return None
        grad = np.asarray(dy)
        for axis, count in enumerate(self.output_size, 1):
            grad = along(grad, axis, _means(self._shape[axis], count).T)
        dx = self._buffer("dx", self._shape)
        dx[...] = grad
        return dx


class _AdaptiveMax(_AdaptivePool):
    """Maxima; the first largest cell of a window gets its gradient."""

    def forward(self, x: Array, training: bool) -> Array:
        """Return the maxima."""
        result = np.asarray(x)
        self._steps: list[tuple[int, tuple[int, ...], NDArray[np.intp]]] = []
        for axis in range(self.rank, 0, -1):
            places = [
                result[_cut(axis, begin, end)].argmax(axis=axis, keepdims=True) + begin
                for begin, end in _windows(result.shape[axis], self.output_size[axis - 1])
            ]
            where = np.concatenate(places, axis=axis)
            self._steps.append((axis, result.shape, where))
            result = np.take_along_axis(result, where, axis)
        y = self._buffer("y", result.shape)
        y[...] = result
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x where it is needed."""
        if not need_dx:
            return None
        grad = np.asarray(dy)
        for axis, shape, where in reversed(self._steps):
            spread: Array = np.zeros(shape, np.float32)
            for i in range(where.shape[axis]):  # windows may have cells in common
                one = _cut(axis, i, i + 1)
                have = np.take_along_axis(spread, where[one], axis)
                np.put_along_axis(spread, where[one], have + grad[one], axis)
            grad = spread
        dx = self._buffer("dx", grad.shape)
        dx[...] = grad
        return dx


def _windows(size: int, count: int) -> list[tuple[int, int]]:
    """Return (first cell, cell behind the last) of each window."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def _means(size: int, count: int) -> Array:
    """Return the weights (count, size) of the cells in the mean of each window."""
    weights: Array = np.zeros((count, size), np.float32)
    for i, (begin, end) in enumerate(_windows(size, count)):
        weights[i, begin:end] = 1 / (end - begin)
    return weights


def _cut(axis: int, begin: int, end: int) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(begin, end))


class AdaptiveAveragePooling1D(_AdaptiveAverage):
    """The mean of each of as many windows of lines as are wanted, for each channel.

    Args:
        output_size: how many windows there are, an integer. A window goes
            from cell ``floor(i * size / n)`` to ``ceil((i + 1) * size / n)``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``, or ``(N, C, L)`` where channels are first.

    Output shape:
        ``(N, output_size, C)``.

    Raises:
        TypeError: ``output_size`` does not hold integers.
        ValueError: a size is below 1, or the input has not three axes.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.arange(6.0).reshape(1, 6, 1)
        >>> pyconv.layers.AdaptiveAveragePooling1D(2)(x).ravel()
        array([1., 4.], dtype=float32)
    """

    rank = 1


class AdaptiveAveragePooling2D(_AdaptiveAverage):
    """The mean of each of as many windows of images as are wanted, for each channel.

    Args:
        output_size: how many windows there are, an integer, or (height, width). A window goes
            from cell ``floor(i * size / n)`` to ``ceil((i + 1) * size / n)``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, height, width, C)``.

    Raises:
        TypeError: ``output_size`` does not hold integers.
        ValueError: a size is below 1, or the input has not four axes.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.arange(6.0).reshape(1, 2, 3, 1)
        >>> pyconv.layers.AdaptiveAveragePooling2D(1)(x).ravel()
        array([2.5], dtype=float32)
    """

    rank = 2


class AdaptiveAveragePooling3D(_AdaptiveAverage):
    """The mean of each of as many windows of volumes as are wanted, for each channel.

    Args:
        output_size: how many windows there are, an integer, or (depth, height, width). A window
            goes from cell ``floor(i * size / n)`` to ``ceil((i + 1) * size / n)``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        ``(N, depth, height, width, C)``.

    Raises:
        TypeError: ``output_size`` does not hold integers.
        ValueError: a size is below 1, or the input has not five axes.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.arange(6.0).reshape(1, 1, 2, 3, 1)
        >>> pyconv.layers.AdaptiveAveragePooling3D(1)(x).ravel()
        array([2.5], dtype=float32)
    """

    rank = 3


class AdaptiveMaxPooling1D(_AdaptiveMax):
    """The largest number of each of as many windows of lines as are wanted, for each channel.

    Args:
        output_size: how many windows there are, an integer. A window goes
            from cell ``floor(i * size / n)`` to ``ceil((i + 1) * size / n)``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``, or ``(N, C, L)`` where channels are first.

    Output shape:
        ``(N, output_size, C)``.

    Raises:
        TypeError: ``output_size`` does not hold integers.
        ValueError: a size is below 1, or the input has not three axes.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.arange(6.0).reshape(1, 6, 1)
        >>> pyconv.layers.AdaptiveMaxPooling1D(2)(x).ravel()
        array([2., 5.], dtype=float32)
    """

    rank = 1


class AdaptiveMaxPooling2D(_AdaptiveMax):
    """The largest number of each of as many windows of images as are wanted, for each channel.

    Args:
        output_size: how many windows there are, an integer, or (height, width). A window goes
            from cell ``floor(i * size / n)`` to ``ceil((i + 1) * size / n)``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, height, width, C)``.

    Raises:
        TypeError: ``output_size`` does not hold integers.
        ValueError: a size is below 1, or the input has not four axes.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.arange(6.0).reshape(1, 2, 3, 1)
        >>> pyconv.layers.AdaptiveMaxPooling2D(1)(x).ravel()
        array([5.], dtype=float32)
    """

    rank = 2


class AdaptiveMaxPooling3D(_AdaptiveMax):
    """The largest number of each of as many windows of volumes as are wanted, for each channel.

    Args:
        output_size: how many windows there are, an integer, or (depth, height, width). A window
            goes from cell ``floor(i * size / n)`` to ``ceil((i + 1) * size / n)``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        ``(N, depth, height, width, C)``.

    Raises:
        TypeError: ``output_size`` does not hold integers.
        ValueError: a size is below 1, or the input has not five axes.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.arange(6.0).reshape(1, 1, 2, 3, 1)
        >>> pyconv.layers.AdaptiveMaxPooling3D(1)(x).ravel()
        array([5.], dtype=float32)
    """

    rank = 3
