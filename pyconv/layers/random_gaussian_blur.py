"""Random blurs."""

from typing import Any

import numpy as np

from pyconv._args import int_arg
from pyconv._types import Array
from pyconv.layers._augmentation import factor_arg, range_arg
from pyconv.layers._image_layer import Transformation
from pyconv.layers._pixels import PixelChange, by_image, smoothed


class RandomGaussianBlur(PixelChange):
    """In training, blurs images with a Gaussian; outside of an image there are zeros, as in Keras.

    Args:
        factor: the probability that an image is changed, drawn from 0 to this number, or from
            (least, most).
        kernel_size: columns and rows of the kernel: an odd number, or two.
        sigma: largest width of the Gaussian, 0 to 1, or (least, most); those along rows and along
            columns are drawn for a batch.
        value_range: least and largest value of the images.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        seed: an integer for the same choices in each run.
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
        >>> layer = pyconv.layers.RandomGaussianBlur((1, 1), sigma=(1, 1))
        >>> x = np.zeros((1, 1, 3, 1))
        >>> x[0, 0, 1] = 1
        >>> layer(x, training=True).ravel().round(3).tolist()
        [0.12399999797344208, 0.20399999618530273, 0.12399999797344208]
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_arg(self.label, "factor", factor, 0, 1)
        self.kernel_size = _sizes(self.label, kernel_size)
        self.sigma = factor_arg(self.label, "sigma", sigma, 0, 1)
        self.value_range = range_arg(self.label, value_range)

    def draw(self, n: int, h: int, w: int, c: int) -> Transformation:
        """Return ``should_apply_blur`` (n,), and ``blur_factor`` (2,): of columns and of rows."""
        rng = self.generator()
        lower, upper = self.factor
        wanted = lower + rng.random(n) * (upper - lower)
        return {
            "should_apply_blur": rng.random(n) < wanted,
            "blur_factor": rng.uniform(*self.sigma, 2) + 1e-6,
        }

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images, some of them blurred."""
        smooth = blurred(images, self.kernel_size, t["blur_factor"])
        chosen = by_image(t["should_apply_blur"], len(images)) != 0
        return np.clip(np.where(chosen, smooth, images), *self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "kernel_size": self.kernel_size,
            "sigma": self.sigma,
            "value_range": self.value_range,
        }


def blurred(images: Array, sizes: Any, sigmas: Any) -> Array:
    """Return images (N, H, W, C) blurred by a Gaussian; sizes and sigmas are (x, y)."""
    across, down = (_gaussian(int(s), float(w)) for s, w in zip(sizes, sigmas, strict=True))
    return smoothed(images, np.asarray(np.outer(down, across), np.float32))


def _gaussian(size: int, sigma: float) -> Any:
    x = np.arange(size) - (size - 1) / 2
    kernel = np.exp(-0.5 * (x / sigma) ** 2)
    return kernel / kernel.sum()


def _sizes(owner: str, value: Any) -> tuple[int, int]:
    """Return two odd numbers."""
    pair = value if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{owner}: kernel_size must be a number or two, got {value!r:.60}")
    sizes = [int_arg(owner, "kernel_size", size) for size in pair]
    if sizes[0] % 2 == 0 or sizes[1] % 2 == 0:
        raise ValueError(f"{owner}: kernel_size must be an odd number, got {value!r:.60}")
    return sizes[0], sizes[1]
