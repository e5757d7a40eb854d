"""Layers that bring images to one size, in training and outside of it."""

from typing import Any

import numpy as np

from pyconv._args import bool_arg, int_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import image_shape
from pyconv.layers.layer import Layer


class _ToSize(Layer):
    """Takes a window out of images (N, H, W, C) and resizes it; one image (H, W, C) also does."""

    interpolation = "bilinear"

    def __init__(self, height: int, width: int, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)
        self.height = int_arg(self.label, "height", height)
        self.width = int_arg(self.label, "width", width)

    def window(self, h: int, w: int) -> tuple[int, int]:
        """Return the size of the window, which lies in the middle."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, height, width, C)."""
        n, _, _, c = image_shape(self.label, input_shape)
        return n, self.height, self.width, c

    def __call__(self, x: Any, training: bool = False) -> Array:
        """Return the images of a batch, or one image, in the wanted size.

        Raises:
            TypeError, ValueError: ``x`` is neither.
        """
        if np.ndim(x) == 3:
            one: Array = super().__call__(np.asarray(x)[np.newaxis], training)[0]
            return one
        return super().__call__(x, training)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the resized windows."""
        n, h, w, c = self._shape = x.shape
        tall, wide = self.window(h, w)
        top, left = (h - tall) // 2, (w - wide) // 2
        self._inside = slice(None), slice(top, top + tall), slice(left, left + wide)
        y = self._buffer("y", (n, self.height, self.width, c))
        part = np.asarray(x)[self._inside]
        if part.shape == y.shape:
            y[...] = part
            return y
        self._rows = _shares(tall, self.height, self.interpolation)
        self._columns = _shares(wide, self.width, self.interpolation)
        y[...] = _along_both(part, self._rows, self._columns)
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, 0 outside of the window, where it is needed."""
        if not need_dx:
            return None
        dx = self._buffer("dx", self._shape)
        dx[...] = 0
        host = np.asarray(dy)
        if dx[self._inside].shape == host.shape:
            dx[self._inside] = host
        else:
            dx[self._inside] = _along_both(host, self._rows.T, self._columns.T)
        return dx

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "height": self.height, "width": self.width}


class Resizing(_ToSize):
    """Resizes images.

    Args:
        height: rows of the result.
        width: columns of the result.
        interpolation: ``"bilinear"`` takes the mean of the nearest pixels, by distance, between
            pixels' centres; ``"nearest"`` takes one pixel. There is no filter against aliasing.
        crop_to_aspect_ratio: whether to take the largest window in the middle that has the
            proportions wanted, in place of the whole image.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``. Keras's
            ``pad_to_aspect_ratio`` and ``antialias`` must be False.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first; or one image.

    Output shape:
        ``(N, height, width, C)``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Resizing(1, 2)(np.arange(8.0).reshape(1, 2, 4, 1))[0, :, :, 0]
        array([[2.5, 4.5]], dtype=float32)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        refused = {
            name: kwargs.pop(name)
            for name in ("pad_to_aspect_ratio", "antialias")
            if name in kwargs
        }
        for name in ("fill_mode", "fill_value"):  # without padding there is nothing to fill
            kwargs.pop(name, None)
        super().__init__(height, width, data_format, **kwargs)
        for name, value in refused.items():
            if bool_arg(self.label, name, value):
                raise ValueError(
                    f"{self.label}: {name} is not supported, so it must be False, got {value!r}"
                )
        if not isinstance(interpolation, str) or interpolation not in ("bilinear", "nearest"):
            raise ValueError(
                f"{self.label}: interpolation must be 'bilinear' or 'nearest', got "
                f"{interpolation!r:.60}"
            )
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = bool_arg(
            self.label, "crop_to_aspect_ratio", crop_to_aspect_ratio
        )

    def window(self, h: int, w: int) -> tuple[int, int]:
        """Return the size of the image, or of the largest window of the right proportions."""
        return _largest(h, w, self.height, self.width) if self.crop_to_aspect_ratio else (h, w)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
        }


class CenterCrop(_ToSize):
    """Cuts a window of this size out of the middle of images.

    Of images that are smaller it is the largest window of the same proportions, resized.

    Args:
        height: rows of the window.
        width: columns of the window.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first; or one image.

    Output shape:
        ``(N, height, width, C)``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.CenterCrop(1, 2)(np.arange(12.0).reshape(1, 3, 4, 1))[0, :, :, 0]
        array([[5., 6.]], dtype=float32)
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(height, width, data_format, **kwargs)

    def window(self, h: int, w: int) -> tuple[int, int]:
        """Return the size wanted, or of the largest window of its proportions."""
        if h >= self.height and w >= self.width:
            return self.height, self.width
        return _largest(h, w, self.height, self.width)


def _largest(h: int, w: int, height: int, width: int) -> tuple[int, int]:
    """Return the size of the largest part of (h, w) with the proportions of (height, width)."""
    return max(min(h, w * height // width), 1), max(min(w, h * width // height), 1)


def _shares(count: int, size: int, interpolation: str) -> Array:
    """Return the weights (size, count) of the pixels that each new one is made of."""
    at = (np.arange(size) + 0.5) * count / size
    if interpolation == "nearest":
        return np.asarray(
            np.minimum(at.astype(np.int64), count - 1)[:, None] == np.arange(count), np.float32
        )
    at = np.clip(at - 0.5, 0, count - 1)
    return np.asarray(np.maximum(1 - np.abs(at[:, None] - np.arange(count)), 0), np.float32)


def _along_both(x: Array, rows: Array, columns: Array) -> Array:
    """Return rows (a, H) and columns (b, W) applied to x (N, H, W, C): (N, a, b, C)."""
    n, h, w, c = x.shape
    across = rows @ x.reshape(n, h, w * c)
    result: Array = columns @ across.reshape(n, len(rows), w, c)
    return result
