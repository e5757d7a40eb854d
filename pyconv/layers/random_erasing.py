"""Random erasing, and cutout."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import pair_arg
from pyconv._types import Array
from pyconv.layers._arguments import number_arg
from pyconv.layers._augmentation import Augmentation, Stage, each, factor_arg, range_arg
from pyconv.layers._image_layer import Transformation


class RandomErasing(Augmentation):
    """In training, sets a random rectangle of some images to one value (Zhong et al., 2017).

    Args:
        factor: probability that an image is changed, drawn for each image from 0 to this, or
            from (least, most).
        scale: (least, most) share of the image's area.
        fill_value: a number, or one a channel; None for a random one of each image and channel.
        value_range: least and largest value of the images.
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
        >>> layer = pyconv.layers.RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=0)
        >>> float(layer(np.ones((1, 8, 8, 1), "float32"), training=True).sum())
        48.0
    """

    _keeps_batch = True

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_arg(self.label, "factor", factor, 0, 1)
        self.scale = factor_arg(self.label, "scale", scale, 0, 1)
        self.value_range = range_arg(self.label, value_range)
        self.fill_value = fill_value
        if isinstance(fill_value, (tuple, list)):
            if not fill_value:
                raise ValueError(f"{self.label}: fill_value must have a number a channel, got none")
            self.fill_value = [
                number_arg(self.label, f"fill_value[{i}]", v) for i, v in enumerate(fill_value)
            ]
        elif fill_value is not None:
            self.fill_value = number_arg(self.label, "fill_value", fill_value)

    def boxes(self, drawn: NDArray[np.float64], h: int, w: int) -> NDArray[np.int64]:
        """Return top, bottom, left and right (n, 4) for numbers drawn (n, 6)."""
        wanted = self.factor[0] + drawn[:, 0] * (self.factor[1] - self.factor[0])
        shares = np.sqrt(self.scale[0] + drawn[:, 2:4] * (self.scale[1] - self.scale[0]))
        sizes = np.rint(shares * [h, w] * (drawn[:, 1:2] < wanted[:, np.newaxis])).astype(np.int64)
        starts = (drawn[:, 4:] * ([h, w] - sizes + 1)).astype(np.int64)
        return np.stack([starts, starts + sizes], axis=2).reshape(-1, 4)

    def numbers(self, c: int) -> int:
        """Return 6 for the rectangle, and one a channel where values are drawn."""
        return 6 if self.fill_value is not None else 6 + c

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``boxes`` (n, 4), which parts are erased, and ``values`` (n, C)."""
        if self.fill_value is None:
            low, high = self.value_range
            values: Any = low + u[:, 6:] * (high - low)
        else:
            values = np.broadcast_to(np.clip(self.fill_value, *self.value_range), (len(u), c))
        boxes = self.boxes(u[:, :6], h, w)
        return {"boxes": boxes, "values": np.array(values, np.float32)}

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return which parts are erased."""
        return [("erase", t["boxes"], t["values"])]

    def transformed(self, images: Array, transformation: Transformation) -> Array:
        """Return images (N, H, W, C) changed; of Keras, a change has masks."""
        t = transformation
        if "batch_masks" not in t:
            return super().transformed(images, t)
        chosen = each(t["apply_erasing"], len(images)).reshape(-1, 1, 1, 1)
        erased = np.where(self._last(t["batch_masks"]), self._last(t["fill_value"]), images)
        return np.asarray(np.where(chosen, erased, images), np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "fill_value": self.fill_value,
            "value_range": self.value_range,
        }


class Cutout(Augmentation):
    """In training, sets a square of each image to one value (DeVries and Taylor, 2017).

    The square's middle is any cell, so that a part of it may lie outside of the image.

    Args:
        size: rows and columns of the square, or (height, width).
        fill_value: what it is set to.
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
        >>> layer = pyconv.layers.Cutout(4, seed=1)
        >>> erased = 64 - layer(np.ones((1, 8, 8, 1), "float32"), training=True).sum()
        >>> bool(4 <= erased <= 16)
        True
    """

    def __init__(
        self,
        size: Any,
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.size = pair_arg(self.label, "size", size)
        self.fill_value = number_arg(self.label, "fill_value", fill_value)

    def numbers(self, c: int) -> int:
        """Return 2: the middle."""
        return 2

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``boxes`` (n, 4), which parts are erased."""
        boxes = np.empty((len(u), 4), np.int64)
        for axis, (cells, size) in enumerate(zip((h, w), self.size, strict=True)):
            starts = (u[:, axis] * cells).astype(np.int64) - size // 2
            np.maximum(starts, 0, out=boxes[:, 2 * axis])
            np.minimum(starts + size, cells, out=boxes[:, 2 * axis + 1])
        return {"boxes": boxes}

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return which parts are erased."""
        return [("erase", t["boxes"], np.full((n, c), self.fill_value, np.float32))]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "size": self.size, "fill_value": self.fill_value}
