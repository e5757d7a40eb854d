"""Random perspectives."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.layers._arguments import number_arg
from pyconv.layers._augmentation import each, factor_arg, sampling_arg
from pyconv.layers._image_layer import Transformation
from pyconv.layers._pixels import PixelChange, by_image
from pyconv.layers._sampling import sampled


class RandomPerspective(PixelChange):
    """In training, moves the corners of each image, as if it were seen from the side.

    Args:
        factor: the probability that an image is changed, drawn from 0 to this number, or from
            (least, most).
        scale: how far corners are moved, 0 to 1: up to half of this share of their distance from
            the top left.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_value: what lies outside of an image.
        seed: an integer for the same choices in each run.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``, ``bounding_box_format``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first; or one image.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.RandomPerspective((1, 1), scale=0.5, seed=1)
        >>> y = layer(np.ones((1, 8, 8, 1)), training=True)
        >>> y.shape, bool((y == 0).any())
        ((1, 8, 8, 1), True)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_arg(self.label, "factor", factor, 0, 1)
        try:
            self.scale = number_arg(self.label, "scale", scale, 0, 1)
        except ValueError as error:
            raise type(error)(
                f"{error}. The `scale` argument should be a number in the range [0,1]."
            ) from None
        self.interpolation = sampling_arg(self.label, interpolation)
        self.fill_value = number_arg(self.label, "fill_value", fill_value)

    def numbers(self, c: int) -> int:
        """Return 10: the probability, what is compared with it, and four corners."""
        return 10

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``apply_perspective`` (n,), ``start_points`` and ``end_points`` (n, 4, 2)."""
        lower, upper = self.factor
        right, bottom = max(w - 1, 1), max(h - 1, 1)  # four corners, also of one row or column
        corners = np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], np.float64)
        start = np.broadcast_to(corners, (len(u), 4, 2))
        moves = (u[:, 2:].reshape(-1, 4, 2) - 0.5) * self.scale
        return {
            "apply_perspective": u[:, 1] < lower + u[:, 0] * (upper - lower),
            "start_points": start,
            "end_points": start + start * moves,
        }

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images seen from elsewhere."""
        n, h, w, _ = images.shape
        m = homographies(t["start_points"], t["end_points"])[:, np.newaxis, np.newaxis]
        x, y = np.meshgrid(np.arange(w, dtype=np.float64), np.arange(h, dtype=np.float64))
        places = np.einsum("nabkl,abl->nabk", m, np.stack([x, y, np.ones_like(x)], -1))
        with np.errstate(divide="ignore", invalid="ignore"):
            rows, columns = places[..., 1] / places[..., 2], places[..., 0] / places[..., 2]
        far = 4.0 * max(h, w)  # outside is outside
        rows, columns = (np.nan_to_num(np.clip(v, -far, far), nan=-far) for v in (rows, columns))
        seen = sampled(images, rows, columns, self.interpolation, "constant", self.fill_value)
        return np.where(by_image(t["apply_perspective"], n) != 0, seen, images)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return masks changed as the images are, with the values of the nearest cells."""
        kept, self.interpolation = self.interpolation, "nearest"
        try:
            return self.transform_images(segmentation_masks, transformation, training)
        finally:
            self.interpolation = kept

    def moved_boxes(self, boxes: Array, transformation: Transformation, h: int, w: int) -> Array:
        """Return the boxes around what the boxes (N, K, 4) are moved to."""
        m = np.linalg.inv(
            homographies(transformation["start_points"], transformation["end_points"])
        )
        columns, rows = boxes[..., [0, 2, 2, 0]], boxes[..., [1, 1, 3, 3]]
        places = np.stack([columns, rows, np.ones_like(rows)], -1)
        moved = np.einsum("nab,nkpb->nkpa", m, places)
        moved = moved[..., :2] / moved[..., 2:]
        around = np.concatenate([moved.min(axis=2), moved.max(axis=2)], -1)
        changed = each(transformation["apply_perspective"], len(boxes)).reshape(-1, 1, 1)
        return np.asarray(np.where(changed, around, boxes), np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }


def homographies(start: Any, end: Any) -> NDArray[np.float64]:
    """Return (n, 3, 3), which map points ``end`` (n, 4, 2) to ``start``; x is before y."""
    to = np.asarray(start, np.float64).reshape(-1, 4, 2)
    x, y = np.moveaxis(np.asarray(end, np.float64).reshape(-1, 4, 2), -1, 0)
    zero, one = np.zeros_like(x), np.ones_like(x)
    u, v = to[..., 0], to[..., 1]
    rows = np.concatenate(
        [
            np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1),
            np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1),
        ],
        axis=1,
    )
    found = np.linalg.solve(rows, np.concatenate([u, v], axis=1)[..., np.newaxis])[..., 0]
    ones = np.ones((len(found), 1))
    return np.concatenate([found, ones], axis=1).reshape(-1, 3, 3)
