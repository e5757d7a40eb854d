"""A border of zeros."""

from typing import Any

from pyconv._args import padding_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import image_shape
from pyconv.layers.layer import Layer


class ZeroPadding2D(Layer):
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

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)
        pads = padding_arg(self.label, padding)
        if isinstance(pads, str):
            raise ValueError(
                f"{self.label}: padding must be an integer, (height, width) or "
                f"((top, bottom), (left, right)), got {padding!r}"
            )
        self.padding = pads

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, top + H + bottom, left + W + right, C)."""
        n, h, w, c = image_shape(self.label, input_shape)
        rows, columns = self.padding
        return (
            n,
            None if h is None else h + sum(rows),
            None if w is None else w + sum(columns),
            c,
        )

    def forward(self, x: Array, training: bool) -> Array:
        """Return x with its border."""
        (top, bottom), (left, right) = self.padding
        n, h, w, c = x.shape
        y = self._buffer("y", (n, top + h + bottom, left + w + right, c))
        y[:, :top] = 0
        y[:, top + h :] = 0
        y[:, top : top + h, :left] = 0
        y[:, top : top + h, left + w :] = 0
        y[:, top : top + h, left : left + w] = x
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x (N, H, W, C), where it is needed: dy without the border."""
        if not need_dx:
            return None
        (top, bottom), (left, right) = self.padding
        n, h, w, c = dy.shape
        dx = self._buffer("dx", (n, h - top - bottom, w - left - right, c))
        dx[...] = dy[:, top : h - bottom, left : w - right]
        return dx

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "padding": self.padding}
