"""Random flips."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import is_one_of
from pyconv._types import Array
from pyconv.layers._augmentation import Augmentation, Stage
from pyconv.layers._image_layer import Transformation

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(Augmentation):
    """In training, flips each image with probability one half, from left to right or upside down.

    Both directions, where the mode has both, are drawn independently.

    Args:
        mode: ``"horizontal"``, ``"vertical"`` or ``"horizontal_and_vertical"``.
        seed: an integer for the same choices in each run.
        data_format: None or ``"channels_last"``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.RandomFlip("horizontal", seed=1)
        >>> x = np.arange(3, dtype="float32").reshape(1, 1, 3, 1)
        >>> sorted({tuple(layer(x, training=True).ravel().tolist()) for _ in range(20)})
        [(0.0, 1.0, 2.0), (2.0, 1.0, 0.0)]
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        if not is_one_of(mode, _MODES):
            raise ValueError(f"{self.label}: mode must be one of {_MODES}, got {mode!r:.60}")
        self.mode = mode

    def numbers(self, c: int) -> int:
        """Return 2: upside down, and from left to right."""
        return 2

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``flips`` (n, 2): whether rows are flipped, and columns."""
        return {"flips": (u <= 0.5) & [self.mode != "horizontal", self.mode != "vertical"]}

    def _flips(self, t: Transformation, n: int) -> NDArray[np.bool_]:
        flips = np.asarray(t["flips"], bool)
        # Of Keras's there is one an image, for both directions.
        both = flips.reshape(-1, 2 if flips.shape[-1:] == (2,) else 1)
        allowed = [self.mode != "horizontal", self.mode != "vertical"]
        return np.broadcast_to(both, (n, 2)) & allowed

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return which images are flipped."""
        cuts = np.zeros((n, 4), np.int64)
        cuts[:, 2:] = self._flips(t, n)
        return [("crop_flip", cuts, (h, w), "constant", 0.0)]

    def moved_boxes(self, boxes: Array, transformation: Transformation, h: int, w: int) -> Array:
        """Return boxes (N, K, 4) flipped."""
        flips = self._flips(transformation, len(boxes))[:, np.newaxis]
        left, top, right, bottom = np.moveaxis(boxes, -1, 0)
        up, back = flips[..., 0], flips[..., 1]
        moved = [
            np.where(back, w - right, left),
            np.where(up, h - bottom, top),
            np.where(back, w - left, right),
            np.where(up, h - top, bottom),
        ]
        return np.stack(moved, -1)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return masks flipped as the images are."""
        return self.transform_images(segmentation_masks, transformation, training)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "mode": self.mode}
