"""Random crops."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import bool_arg, int_arg
from pyconv._types import Array, Shape
from pyconv.bounding_boxes.moves import pad
from pyconv.layers._augmentation import Augmentation, Stage, each, resized
from pyconv.layers._image_layer import Transformation


class RandomCrop(Augmentation):
    """In training, cuts a window of this size out of the images, at a random place.

    As in Keras, the place is one for the whole batch; with ``per_image=True`` each image has its
    own, as the usual recipe for CIFAR wants it (zeros of 4 cells around, then windows of the old
    size). Outside of training, and for images smaller than the window, it is the largest window
    in the middle that has the proportions of the one wanted, resized; with ``per_image=True``,
    outside of training, the window in the middle as it is.

    Args:
        height: rows of the window.
        width: columns of the window.
        seed: an integer for the same choices in each run.
        data_format: None or ``"channels_last"``.
        per_image: whether each image has a place of its own.
        padding: cells of zeros that are thought to lie around the image.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``.

    Output shape:
        ``(N, height, width, C)``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.RandomCrop(32, 32, seed=1, per_image=True, padding=4)
        >>> layer(np.ones((8, 32, 32, 3), "float32"), training=True).shape
        (8, 32, 32, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        per_image: bool = False,
        padding: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.height = int_arg(self.label, "height", height)
        self.width = int_arg(self.label, "width", width)
        self.per_image = bool_arg(self.label, "per_image", per_image)
        self.padding = int_arg(self.label, "padding", padding, 0, 2**30)
        self.by_image = self.per_image

    def images_shape(self, shape: Shape) -> Shape:
        """Return (N, height, width, C)."""
        return shape[0], self.height, self.width, shape[3]

    def numbers(self, c: int) -> int:
        """Return 2: the row and the column of the corner."""
        return 2

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``top`` and ``left`` int64 (n,), the corners of the windows."""
        room = np.array([h - self.height, w - self.width]) + 2 * self.padding
        corners = (u * (np.maximum(room, 0) + 1)).astype(np.int64) - self.padding
        return {"top": corners[:, 0], "left": corners[:, 1]}

    def _corners(self, t: Transformation, n: int) -> NDArray[np.int64]:
        """Return (n, 2); of Keras, a change is the row and the column."""
        top, left = (t["top"], t["left"]) if isinstance(t, dict) else t
        both = np.concatenate([each(top, n), each(left, n)], axis=1)
        return both.astype(np.int64)

    def has_stage(self, h: int, w: int) -> bool:
        """Whether images are large enough for the window."""
        return h + 2 * self.padding >= self.height and w + 2 * self.padding >= self.width

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return the windows."""
        cuts = np.zeros((n, 4), np.int64)
        cuts[:, :2] = self._corners(t, n)
        return [("crop_flip", cuts, (self.height, self.width), "constant", 0.0)]

    def transformed(self, images: Array, transformation: Transformation) -> Array:
        """Return windows of images; those that are too small are resized."""
        if not self.has_stage(*images.shape[1:3]):
            return self.still(images)
        return super().transformed(images, transformation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return the masks' windows."""
        return self.transform_images(segmentation_masks, transformation, training)

    def moved_boxes(self, boxes: Array, transformation: Transformation, h: int, w: int) -> Array:
        """Return boxes (N, K, 4) as they are in the windows."""
        if not self.has_stage(h, w):
            tall, wide = self._window(h, w)
            top, left = (h - tall) // 2, (w - wide) // 2
            scale = np.array([self.width / wide, self.height / tall] * 2, np.float32)
            return np.asarray(pad(boxes, -top, -left) * scale)
        corners = self._corners(transformation, len(boxes))[:, np.newaxis]
        return pad(boxes, -corners[..., 0], -corners[..., 1])

    def forward(self, x: Array, training: bool) -> Array:
        """Return windows of the images; those that are too small are resized."""
        return super().forward(x, training and self.has_stage(*x.shape[1:3]))

    def still(self, x: Array) -> Array:
        """Return the window in the middle."""
        _, h, w, _ = x.shape
        if self.per_image and h >= self.height and w >= self.width:
            top, left = (h - self.height) // 2, (w - self.width) // 2
            return np.ascontiguousarray(x[:, top : top + self.height, left : left + self.width])
        return np.ascontiguousarray(self._largest(x))

    def _largest(self, x: Array) -> Array:
        _, h, w, _ = x.shape
        height, width = self._window(h, w)
        top, left = (h - height) // 2, (w - width) // 2
        window = x[:, top : top + height, left : left + width]
        return resized(window, self.height, self.width)

    def _window(self, h: int, w: int) -> tuple[int, int]:
        """Return the size of the largest window with the proportions wanted."""
        height = max(min(h, w * self.height // self.width), 1)
        return height, max(min(w, h * self.width // self.height), 1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "per_image": self.per_image,
            "padding": self.padding,
        }
