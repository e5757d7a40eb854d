"""Random distortions."""

from typing import Any

import numpy as np

from pyconv._args import is_one_of
from pyconv._types import Array
from pyconv.layers._arguments import number_arg
from pyconv.layers._augmentation import FILL_MODES, factor_arg, range_arg, sampling_arg
from pyconv.layers._image_layer import Transformation
from pyconv.layers._pixels import PixelChange, by_image
from pyconv.layers._sampling import sampled
from pyconv.layers.random_gaussian_blur import blurred


class RandomElasticTransform(PixelChange):
    """In training, distorts each image as if it were drawn on rubber (Simard et al., 2003).

    Each pixel is taken from a place nearby; how far away is random, and smooth over the image.

    Args:
        factor: the probability that an image is changed, drawn from 0 to this number, or from
            (least, most).
        scale: largest strength, 0 to 1, or (least, most); one is drawn for a batch.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode: what lies outside of an image, see ``RandomTranslation``; and ``"mirror"``
            (dcb|abcd|cba).
        fill_value: what ``"constant"`` fills with.
        value_range: least and largest value of the images.
        seed: an integer for the same choices in each run.
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
        >>> layer = pyconv.layers.RandomElasticTransform((1, 1), seed=1)
        >>> x = np.arange(64.0).reshape(1, 8, 8, 1)
        >>> bool((layer(x, training=True) != x).any())
        True
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_arg(self.label, "factor", factor, 0, 1)
        self.scale = factor_arg(self.label, "scale", scale, 0, 1)
        known = (*FILL_MODES, "mirror")
        if not is_one_of(fill_mode, known):
            raise ValueError(
                f"{self.label}: fill_mode must be one of {known}, got {fill_mode!r:.60}"
            )
        self.interpolation = sampling_arg(self.label, interpolation)
        self.fill_mode = fill_mode
        self.fill_value = number_arg(self.label, "fill_value", fill_value)
        self.value_range = range_arg(self.label, value_range)

    def draw(self, n: int, h: int, w: int, c: int) -> Transformation:
        """Return ``apply_transform`` (n,), ``distortion_factor``, and ``seed`` of the places."""
        rng = self.generator()
        lower, upper = self.factor
        wanted = lower + rng.random(n) * (upper - lower)
        return {
            "apply_transform": rng.random(n) < wanted,
            "distortion_factor": rng.uniform(*self.scale),
            "seed": int(rng.integers(2**63)),
        }

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images distorted."""
        n, h, w, _ = images.shape
        factor = float(t["distortion_factor"])
        if factor == 0:
            return images
        far, sigma = max(h, w) * 0.1 * factor, min(h, w) * 0.05 * factor
        size = int(6 * sigma) | 1
        rng = np.random.Generator(np.random.Philox(key=int(t["seed"])))
        noise = np.asarray(rng.standard_normal((n, h, w, 2)) * sigma, np.float32)
        smooth = blurred(noise, (size, size), (sigma, sigma))
        rows = np.arange(h).reshape(1, h, 1) + far * smooth[..., 0].astype(np.float64)
        columns = np.arange(w).reshape(1, 1, w) + far * smooth[..., 1].astype(np.float64)
        moved = sampled(images, rows, columns, self.interpolation, self.fill_mode, self.fill_value)
        y = np.where(by_image(t["apply_transform"], n) != 0, moved, images)
        return np.asarray(np.clip(y, *self.value_range))

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return masks changed as the images are, with the values of the nearest cells."""
        kept, self.interpolation = self.interpolation, "nearest"
        try:
            return self.transform_images(segmentation_masks, transformation, training)
        finally:
            self.interpolation = kept

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "interpolation": self.interpolation,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "value_range": self.value_range,
        }
