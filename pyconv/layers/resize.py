"""Layers that cut borders off images, and enlarge them."""

from typing import Any

import numpy as np

from pyconv._args import padding_arg, pair_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import image_shape
from pyconv.layers.layer import Layer


class Cropping2D(Layer):
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

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)
        pair = isinstance(cropping, (tuple, list)) and len(cropping) == 2
        if pair and not any(isinstance(side, (tuple, list)) for side in cropping):
            cropping = [(side, side) for side in cropping]
        elif isinstance(cropping, str):
            raise TypeError(f"{self.label}: cropping must be integers, got {cropping!r:.60}")
        cut = padding_arg(self.label, cropping, "cropping")
        assert not isinstance(cut, str)
        self.cropping = cut

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, H - top - bottom, W - left - right, C)."""
        n, h, w, c = image_shape(self.label, input_shape)
        left = []
        for size, sides in zip((h, w), self.cropping, strict=True):
            if size is not None and size <= sum(sides):
                raise ValueError(
                    f"{self.label}: cropping of {self.cropping} leaves nothing of an input of "
                    f"{tuple(input_shape)}"
                )
            left.append(None if size is None else size - sum(sides))
        return n, *left, c

    def forward(self, x: Array, training: bool) -> Array:
        """Return x without its border."""
        self._shape = x.shape
        part = x[self._inside()]
        y = self._buffer("y", part.shape)
        y[...] = part
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, 0 in the border, where it is needed."""
        if not need_dx:
            return None
        dx = self._buffer("dx", self._shape)
        dx[...] = 0
        dx[self._inside()] = dy
        return dx

    def _inside(self) -> tuple[slice, ...]:
        rows, columns = self.cropping
        _, h, w, _ = self._shape
        return slice(None), slice(rows[0], h - rows[1]), slice(columns[0], w - columns[1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "cropping": self.cropping}


class UpSampling2D(Layer):
    """Enlarges images by whole factors.

    Args:
        size: the factor, an integer or (height, width).
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        interpolation: ``"nearest"`` repeats pixels; ``"bilinear"`` takes the mean of the nearest,
            by distance, between pixels' centres.
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

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)
        self.size = pair_arg(self.label, "size", size)
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                f"{self.label}: interpolation must be 'nearest' or 'bilinear', got "
                f"{interpolation!r:.60}"
            )
        self.interpolation = interpolation

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, H * height, W * width, C)."""
        n, h, w, c = image_shape(self.label, input_shape)
        tall, wide = self.size
        return n, None if h is None else h * tall, None if w is None else w * wide, c

    def forward(self, x: Array, training: bool) -> Array:
        """Return the enlarged images."""
        n, h, w, c = self._shape = x.shape
        tall, wide = self.size
        y = self._buffer("y", (n, h * tall, w * wide, c))
        host = np.asarray(x)
        if self.interpolation == "nearest":
            repeated = np.broadcast_to(host[:, :, None, :, None], (n, h, tall, w, wide, c))
            y[...] = repeated.reshape(y.shape)
        else:
            rows, columns = _between(h, tall), _between(w, wide)
            y[...] = np.einsum("ah,bw,nhwc->nabc", rows, columns, host, optimize=True)
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x (N, H, W, C), where it is needed."""
        if not need_dx:
            return None
        n, h, w, c = self._shape
        tall, wide = self.size
        dx = self._buffer("dx", self._shape)
        host = np.asarray(dy)
        if self.interpolation == "nearest":
            dx[...] = host.reshape(n, h, tall, w, wide, c).sum(axis=(2, 4))
        else:
            rows, columns = _between(h, tall), _between(w, wide)
            dx[...] = np.einsum("ah,bw,nabc->nhwc", rows, columns, host, optimize=True)
        return dx

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "size": self.size,
            "interpolation": self.interpolation,
        }


def _between(size: int, factor: int) -> Array:
    """Return the weights (size * factor, size) of the pixels that each new one lies between."""
    places = (np.arange(size * factor) + 0.5) / factor - 0.5
    places = np.clip(places, 0, size - 1)
    near = 1 - np.abs(places[:, None] - np.arange(size))
    return np.asarray(np.maximum(near, 0), np.float32)
