"""Layers that cut the border off lines, images and volumes."""

from typing import Any

from pyconv._types import Array, Shape
from pyconv.layers._border import Border


class _Cropping(Border):
    """A layer that cuts a border off what it takes."""

    def __init__(self, cropping: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__("cropping", cropping, data_format, **kwargs)

    @property
    def cropping(self) -> Any:
        """The cells cut off before and behind each axis."""
        return self.sides if self.rank > 1 else self.sides[0]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape`` without the border."""
        shape = self._sizes(input_shape, -1)
        if any(size is not None and size < 1 for size in shape[1:-1]):
            raise ValueError(
                f"{self.label}: cropping of {self.cropping} leaves nothing of an input of "
                f"{tuple(input_shape)}. {self._keras_words()}"
            )
        return shape

    def _keras_words(self) -> str:
        if self.rank == 1:
            return "`cropping` parameter of `Cropping1D` layer must be smaller than the length"
        return (
            "Values in `cropping` argument should be smaller than the corresponding spatial "
            "dimension of the input."
        )

    def forward(self, x: Array, training: bool) -> Array:
        """Return x without its border."""
        self._shape = x.shape
        part = x[self._inside(x.shape)]
        y = self._buffer("y", part.shape)
        y[...] = part
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, 0 in the border, where it is needed."""
        if not need_dx:
            return None
        dx = self._buffer("dx", self._shape)
        self._clear(dx)
        dx[self._inside(dx.shape)] = dy
        return dx

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "cropping": self.cropping}


class Cropping1D(_Cropping):
    """Cuts cells off both ends of lines.

    Args:
        cropping: an integer for both ends, or (before, after).
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``.

    Output shape:
        ``(N, L - before - after, C)``.

    Raises:
        TypeError: ``cropping`` does not hold integers.
        ValueError: an end is negative, nothing is left, or the input has not three axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Cropping1D((1, 2))(np.arange(5.0).reshape(1, 5, 1))[0, :, 0]
        array([1., 2.], dtype=float32)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, None, **kwargs)
        del self.data_format  # as Keras's it knows one order only


class Cropping2D(_Cropping):
    """Cuts rows and columns off the border of images.

    Args:
        cropping: an integer for all sides, (height, width) for so many rows above and below and
            so many columns left and right, or ``((top, bottom), (left, right))``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, H - top - bottom, W - left - right, C)``.

    Raises:
        TypeError: a border is not an integer.
        ValueError: a border is negative, nothing is left, or the input is no image.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Cropping2D(((1, 0), (0, 2)))(np.zeros((1, 5, 6, 3))).shape
        (1, 4, 4, 3)
    """

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Cuts the border off volumes.

    Args:
        cropping: an integer for all sides, (depth, height, width) for as many on both sides of
            each axis, or ``((front, back), (top, bottom), (left, right))``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        ``(N, D - front - back, H - top - bottom, W - left - right, C)``.

    Raises:
        TypeError: a border is not an integer.
        ValueError: a border is negative, nothing is left, or the input has not five axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Cropping3D((1, 0, 2))(np.zeros((1, 4, 5, 6, 2))).shape
        (1, 2, 5, 2, 2)
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)
