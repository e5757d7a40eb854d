"""Layers that spread the values of each image over their range."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import int_arg
from pyconv._types import Array
from pyconv.layers._augmentation import range_arg
from pyconv.layers._image_layer import Transformation
from pyconv.layers._pixels import PixelChange, rescaled


class Fixed(PixelChange):
    """Draws nothing."""

    def numbers(self, c: int) -> int:
        """Return 0."""
        return 0

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return nothing."""
        return {}

    def still(self, images: Array) -> Array:
        """Return images (N, H, W, C) as they are outside of training."""
        return self.transformed(images, {}) if self.always else images


class AutoContrast(Fixed):
    """Stretches each channel of each image to the whole range, in training and outside.

    A channel of one value stays as it is.

    Args:
        value_range: least and largest value of the images.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first; or one image.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
        >>> pyconv.layers.AutoContrast()(x).ravel().tolist()
        [0.0, 127.5, 255.0]
    """

    always = True

    def __init__(
        self, value_range: Any = (0, 255), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(kwargs.pop("seed", None), data_format, **kwargs)
        self.value_range = range_arg(self.label, value_range)

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images with each channel stretched."""
        low = images.min(axis=(1, 2), keepdims=True)
        span = images.max(axis=(1, 2), keepdims=True) - low
        share = (images - low) / np.where(span > 0, span, 1)
        least, most = (np.float32(value) for value in self.value_range)
        return np.where(span > 0, least + share * (most - least), images)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "value_range": self.value_range}


class Equalization(Fixed):
    """In training, makes the tones of each channel of each image as frequent as each other.

    Each value is replaced by the share of values up to it. A channel of one value stays as it is.

    Args:
        value_range: least and largest value of the images.
        bins: how many tones are told apart.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first; or one image.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.array([10.0, 10.0, 20.0, 30.0]).reshape(1, 2, 2, 1)
        >>> pyconv.layers.Equalization()(x, training=True).ravel().tolist()
        [0.0, 0.0, 128.0, 255.0]
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs.pop("seed", None), data_format, **kwargs)
        self.value_range = range_arg(self.label, value_range)
        self.bins = int_arg(self.label, "bins", bins, 2)

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images with equalized channels."""
        x = rescaled(images, self.value_range, (0, 255))
        tones = tones_of(x * np.float32((self.bins - 1) / 255), self.bins - 1)
        y = np.array(x, np.float32)
        for image, channel in np.ndindex(len(x), x.shape[3]):
            own = tones[image, :, :, channel]
            counts = np.bincount(own.ravel(), minlength=self.bins)
            if np.count_nonzero(counts) > 1:
                upto = counts.cumsum()
                first = upto[upto > 0][0]
                table = np.round((upto - first) * 255 / (upto[-1] - first))
                y[image, :, :, channel] = np.clip(table, 0, 255)[own]
        y[np.isnan(x)] = np.nan
        return rescaled(y, (0, 255), self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "value_range": self.value_range, "bins": self.bins}


def tones_of(x: Array, most: int) -> NDArray[np.int64]:
    """Return values as whole numbers from 0 to ``most``; what is not a number counts as 0."""
    return np.nan_to_num(np.clip(x, 0, most)).astype(np.int64)
