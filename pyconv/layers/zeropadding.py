"""A border of zeros around lines, images and volumes."""

from typing import Any

from pyconv._types import Array, Shape
from pyconv.layers._border import Border, Sides


class _ZeroPadding(Border):
    """A layer that puts zeros around what it takes."""

    def __init__(self, padding: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__("padding", padding, data_format, **kwargs)

    @property
    def padding(self) -> Any:
        """The cells before and behind each axis."""
        return self.sides if self.rank > 1 else self.sides[0]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape`` with the border."""
        return self._sizes(input_shape, 1)

    def forward(self, x: Array, training: bool) -> Array:
        """Return x with its border."""
        y = self._buffer("y", self._sizes(x.shape, 1))  # type: ignore[arg-type]
        self._clear(y)
        y[self._inside(y.shape)] = x
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, where it is needed: dy without the border."""
        if not need_dx:
            return None
        part = dy[self._inside(dy.shape)]
        dx = self._buffer("dx", part.shape)
        dx[...] = part
        return dx

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "padding": self.padding}


class ZeroPadding1D(_ZeroPadding):
    """Puts zeros before and behind lines.

    Args:
        padding: an integer for both ends, or (before, after).
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``, or ``(N, C, L)`` where channels are first.

    Output shape:
        ``(N, before + L + after, C)``.

    Raises:
        TypeError: ``padding`` does not hold integers.
        ValueError: an end is negative, or the input has not three axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.ZeroPadding1D((1, 2))(np.ones((1, 2, 1)))[0, :, 0]
        array([0., 1., 1., 0., 0.], dtype=float32)
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(_ZeroPadding):
    """Puts a border of zeros around images.

    Args:
        padding: an integer for all sides, (height, width) for a border of so many rows above
            and below and so many columns left and right, or ``((top, bottom), (left, right))``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``, for which axes are turned
            at the border of the layer.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, top + H + bottom, left + W + right, C)``.

    Raises:
        TypeError: a border is not an integer.
        ValueError: a border is negative, or the input is not ``(N, H, W, C)``.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.ZeroPadding2D(((1, 0), (0, 2)))(np.ones((1, 1, 1, 1)))[0, :, :, 0]
        array([[0., 0., 0.],
               [1., 0., 0.]], dtype=float32)
    """

    rank = 2
    padding: Sides

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(_ZeroPadding):
    """Puts a border of zeros around volumes.

    Args:
        padding: an integer for all sides, (depth, height, width) for as many on both sides of each
            axis, or ``((front, back), (top, bottom), (left, right))``.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        ``(N, front + D + back, top + H + bottom, left + W + right, C)``.

    Raises:
        TypeError: a border is not an integer.
        ValueError: a border is negative, or the input has not five axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.ZeroPadding3D((1, 0, 2))(np.ones((1, 4, 5, 6, 2))).shape
        (1, 6, 5, 10, 2)
    """

    rank = 3

    def __init__(
        self, padding: Any = (1, 1, 1), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)
