"""Layers that enlarge lines, images and volumes by whole factors."""

from typing import Any, ClassVar

import numpy as np

from pyconv._args import in_other_words
from pyconv._types import Array, Shape
from pyconv.layers._arguments import sizes_arg, spatial_shape
from pyconv.layers._interpolation import along, interpolation_arg, shares
from pyconv.layers.layer import Layer


class _UpSampling(Layer):
    """A layer that enlarges what it takes by a factor for each axis."""

    rank: ClassVar[int]
    interpolation = "nearest"

    def __init__(self, size: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)
        with in_other_words(
            "Expected an integer value for `size`, which should be a positive integer"
        ):
            self._factors = sizes_arg(self.label, "size", size, self.rank)

    @property
    def size(self) -> Any:
        """The factor of each axis."""
        return self._factors if self.rank > 1 else self._factors[0]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``, the sizes between batch and channels times the factors."""
        return self._enlarged(spatial_shape(self.label, input_shape, self.rank))

    def _enlarged(self, shape: Shape) -> Shape:
        n, *sizes, c = shape
        large = [
            None if size is None else size * factor
            for size, factor in zip(sizes, self._factors, strict=True)
        ]
        return n, *large, c

    def forward(self, x: Array, training: bool) -> Array:
        """Return x enlarged."""
        self._shape = x.shape
        shape: Any = self._enlarged(x.shape)
        y = self._buffer("y", shape)
        result = np.asarray(x)
        if self.interpolation == "nearest":
            spread = [(size, factor) for size, factor in self._axes()]
            apart = (x.shape[0], *(n for size, _ in spread for n in (size, 1)), x.shape[-1])
            repeated = (x.shape[0], *(n for pair in spread for n in pair), x.shape[-1])
            y[...] = np.broadcast_to(result.reshape(apart), repeated).reshape(shape)
            return y
        for axis, (size, factor) in enumerate(self._axes(), 1):
            result = along(result, axis, shares(size, size * factor, self.interpolation))
        y[...] = result
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, where it is needed."""
        if not need_dx:
            return None
        dx = self._buffer("dx", self._shape)
        grad = np.asarray(dy)
        if self.interpolation == "nearest":
            n, *_, c = self._shape
            parts = grad.reshape(n, *(one for pair in self._axes() for one in pair), c)
            dx[...] = parts.sum(axis=tuple(range(2, 2 * self.rank + 1, 2)))
            return dx
        for axis, (size, factor) in enumerate(self._axes(), 1):
            grad = along(grad, axis, shares(size, size * factor, self.interpolation).T)
        dx[...] = grad
        return dx

    def _axes(self) -> list[tuple[int, int]]:
        """Return (size, factor) of each axis of the last input."""
        return list(zip(self._shape[1:-1], self._factors, strict=True))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "size": self.size}


class UpSampling1D(_UpSampling):
    """Repeats each cell of lines.

    Args:
        size: how often, an integer.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``.

    Output shape:
        ``(N, L * size, C)``.

    Raises:
        TypeError: ``size`` is not an integer.
        ValueError: ``size`` is below 1, or the input has not three axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.UpSampling1D(2)(np.array([[[1.0], [2.0]]]))[0, :, 0]
        array([1., 1., 2., 2.], dtype=float32)
    """

    rank = 1

    def __init__(self, size: Any = 2, **kwargs: Any) -> None:
        super().__init__(size, None, **kwargs)
        del self.data_format  # as Keras's it knows one order only


class UpSampling2D(_UpSampling):
    """Enlarges images by whole factors.

    Args:
        size: the factor, an integer or (height, width).
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        interpolation: ``"nearest"`` repeats pixels; ``"bilinear"``, ``"bicubic"``,
            ``"lanczos3"`` and ``"lanczos5"`` take a mean of those around, by distance between
            pixels' centres.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, H * height, W * width, C)``.

    Raises:
        TypeError: ``size`` does not hold integers.
        ValueError: an argument has a wrong value, or the input is no image.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.UpSampling2D(2)(np.array([[[[1.0], [2.0]]]]))[0, :, :, 0]
        array([[1., 1., 2., 2.],
               [1., 1., 2., 2.]], dtype=float32)
    """

    rank = 2

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation = interpolation_arg(self.label, interpolation)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "interpolation": self.interpolation}


class UpSampling3D(_UpSampling):
    """Repeats each cell of volumes.

    Args:
        size: how often, an integer or (depth, height, width).
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        ``(N, D * depth, H * height, W * width, C)``.

    Raises:
        TypeError: ``size`` does not hold integers.
        ValueError: ``size`` is below 1, or the input has not five axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.UpSampling3D((1, 2, 3))(np.ones((1, 2, 2, 2, 1))).shape
        (1, 2, 4, 6, 1)
    """

    rank = 3

    def __init__(
        self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, **kwargs)
