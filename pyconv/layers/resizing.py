"""Layers that bring images to one size, in training and outside of it."""

from typing import Any

import numpy as np

from pyconv._args import bool_arg, int_arg, is_one_of
from pyconv._types import Array, Shape
from pyconv.bounding_boxes.moves import pad
from pyconv.layers._arguments import number_arg
from pyconv.layers._image_layer import ImageLayer, Transformation
from pyconv.layers._interpolation import along, interpolation_arg, shares


class _ToSize(ImageLayer):
    """Takes a window out of images (N, H, W, C) and resizes it."""

    interpolation = "bilinear"
    antialias = False
    # Rows above and below, and columns left and right, that are put around before.
    _border = (0, 0)
    fill_value = 0.0

    def __init__(self, height: int, width: int, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height = int_arg(self.label, "height", height)
        self.width = int_arg(self.label, "width", width)

    def window(self, h: int, w: int) -> tuple[int, int]:
        """Return the size of the window, which lies in the middle."""
        raise NotImplementedError

    def images_shape(self, shape: Shape) -> Shape:
        """Return (N, height, width, C)."""
        return shape[0], self.height, self.width, shape[3]

    def transformed(self, images: Array, transformation: Transformation) -> Array:
        """Return images (N, H, W, C) in the wanted size."""
        return self.still(images)

    def still(self, images: Array) -> Array:
        """Return images (N, H, W, C) in the wanted size, in training and outside."""
        return np.array(_ToSize.forward(self, images, False))

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return masks in the wanted size, with the values of the nearest cells."""
        return self._nearest(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Transformation = None, training: bool = True
    ) -> dict[str, Any]:
        """Return boxes as they are in the resized windows, in training and outside."""
        return super().transform_bounding_boxes(bounding_boxes, transformation, True)

    def moved_boxes(self, boxes: Array, transformation: Transformation, h: int, w: int) -> Array:
        """Return boxes (N, K, 4) as they are in the resized windows."""
        self._border = 0, 0
        tall, wide = self.window(h, w)
        above, left = self._border
        moved = pad(boxes, above - (h - tall) // 2, left - (w - wide) // 2)
        tall, wide = tall + 2 * above, wide + 2 * left
        scale = np.array([self.width / wide, self.height / tall] * 2, np.float32)
        # Boxes that are no boxes stay such.
        empty = (boxes == 0).all(-1, keepdims=True) | (boxes == -1).all(-1, keepdims=True)
        return np.asarray(np.where(empty, 0, moved * scale), np.float32)

    def _size_of(self, transformation: Transformation) -> tuple[int, int]:
        if isinstance(transformation, dict):
            return super()._size_of(transformation)
        h, w = transformation  # of Keras
        return int(h), int(w)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the resized windows."""
        n, h, w, c = self._shape = x.shape
        tall, wide = self.window(h, w)
        top, left = (h - tall) // 2, (w - wide) // 2
        self._inside = slice(None), slice(top, top + tall), slice(left, left + wide)
        y = self._buffer("y", (n, self.height, self.width, c))
        part = np.asarray(x)[self._inside]
        if any(self._border):
            sides = ((0, 0), *((more, more) for more in self._border), (0, 0))
            part = np.pad(part, sides, constant_values=np.float32(self.fill_value))
            _, tall, wide, _ = part.shape
        self._resizes = part.shape != y.shape
        if self._resizes:
            self._rows = shares(tall, self.height, self.interpolation, self.antialias)
            self._columns = shares(wide, self.width, self.interpolation, self.antialias)
            part = along(along(part, 1, self._rows), 2, self._columns)
        y[...] = part
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, 0 outside of the window, where it is needed."""
        if not need_dx:
            return None
        dx = self._buffer("dx", self._shape)
        dx[...] = 0
        grad = np.asarray(dy)
        if self._resizes:
            grad = along(along(grad, 1, self._rows.T), 2, self._columns.T)
        above, left = self._border
        dx[self._inside] = grad[:, above : grad.shape[1] - above, left : grad.shape[2] - left]
        return dx

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "height": self.height, "width": self.width}


class Resizing(_ToSize):
    """Resizes images.

    Args:
        height: rows of the result.
        width: columns of the result.
        interpolation: ``"bilinear"``, ``"bicubic"``, ``"lanczos3"`` and ``"lanczos5"`` take a mean
            of the pixels around, by distance between centres; ``"nearest"`` takes one pixel.
        crop_to_aspect_ratio: whether to take the largest window in the middle that has the
            proportions wanted, in place of the whole image.
        pad_to_aspect_ratio: whether to put a border around, so that the whole image is kept and
            its proportions too.
        fill_mode: ``"constant"``: the border is ``fill_value``.
        fill_value: the pixels of the border.
        antialias: whether images that are made smaller are smoothed, so that fine patterns do not
            turn into coarse ones.
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
        >>> pyconv.layers.Resizing(1, 2)(np.arange(8.0).reshape(1, 2, 4, 1))[0, :, :, 0]
        array([[2.5, 4.5]], dtype=float32)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(height, width, data_format, **kwargs)
        label = self.label
        self.interpolation = interpolation_arg(label, interpolation)
        self.crop_to_aspect_ratio = bool_arg(label, "crop_to_aspect_ratio", crop_to_aspect_ratio)
        self.pad_to_aspect_ratio = bool_arg(label, "pad_to_aspect_ratio", pad_to_aspect_ratio)
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ValueError(
                f"{label}: Only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True"
            )
        if not is_one_of(fill_mode, ("constant",)):
            raise ValueError(f"{label}: fill_mode must be 'constant', got {fill_mode!r:.60}")
        self.fill_mode = fill_mode
        self.fill_value = number_arg(label, "fill_value", fill_value)
        self.antialias = bool_arg(label, "antialias", antialias)

    def window(self, h: int, w: int) -> tuple[int, int]:
        """Return the size of the image, or of the largest window of the right proportions."""
        if self.pad_to_aspect_ratio:
            tall, wide = w * self.height // self.width, h * self.width // self.height
            self._border = max(tall - h, 0) // 2, max(wide - w, 0) // 2
        return _largest(h, w, self.height, self.width) if self.crop_to_aspect_ratio else (h, w)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": self.pad_to_aspect_ratio,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "antialias": self.antialias,
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
