"""Random changes of tones: of each value by itself, and of a pixel with its neighbours."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.layers._arguments import number_arg
from pyconv.layers._augmentation import Augmentation, Stage, each, factor_arg, range_arg
from pyconv.layers._image_layer import Transformation
from pyconv.layers._pixels import FactorChange, PixelChange, by_image, rescaled, smoothed

_BYTES = (0, 255)


class Solarization(PixelChange):
    """In training, adds a number to each image and inverts what is not below a threshold.

    Both are drawn for each image. Cubuk et al., "RandAugment", 2019.

    Args:
        addition_factor: largest share of 255 that is added, or (least, most), 0 to 1.
        threshold_factor: largest share of 255 of the threshold, or (least, most), 0 to 1.
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
        >>> layer = pyconv.layers.Solarization()
        >>> layer(np.array([0.0, 64.0]).reshape(1, 1, 2, 1), training=True).ravel().tolist()
        [255.0, 191.0]
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.addition_factor = _share(self.label, "addition_factor", addition_factor)
        self.threshold_factor = _share(self.label, "threshold_factor", threshold_factor)
        self.value_range = range_arg(self.label, value_range)

    def numbers(self, c: int) -> int:
        """Return 2: what is added, and the threshold."""
        return 2

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``additions`` and ``thresholds`` (n, 1, 1, 1), of 255."""
        # As Keras: the least share is not one of 255.
        bounds = ((low, high * 255) for low, high in (self.addition_factor, self.threshold_factor))
        drawn = [
            (low + u[:, k] * (high - low)).reshape(-1, 1, 1, 1)
            for k, (low, high) in enumerate(bounds)
        ]
        return {"additions": drawn[0], "thresholds": drawn[1]}

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images, partly inverted."""
        added, threshold = (by_image(t[key], len(images)) for key in ("additions", "thresholds"))
        x = np.clip(rescaled(images, self.value_range, _BYTES) + added, 0, 255)
        return rescaled(np.where(x < threshold, x, 255 - x), _BYTES, self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "addition_factor": self.addition_factor,
            "threshold_factor": self.threshold_factor,
            "value_range": self.value_range,
        }


class RandomInvert(Augmentation):
    """In training, inverts each image with some probability: the largest value less its own.

    Args:
        factor: the probability, or (least, most) of it, 0 to 1; of one number it is drawn from 0
            to that.
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
        >>> layer = pyconv.layers.RandomInvert((1, 1), value_range=(0, 1))
        >>> layer(np.array([0.0, 0.25]).reshape(1, 1, 2, 1), training=True).ravel().tolist()
        [1.0, 0.75]
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_arg(self.label, "factor", factor, 0, 1)
        self.value_range = range_arg(self.label, value_range)

    def numbers(self, c: int) -> int:
        """Return 2: the probability, and what is compared with it."""
        return 2

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``apply_inversion`` (n,)."""
        lower, upper = self.factor
        return {"apply_inversion": u[:, 1] < lower + u[:, 0] * (upper - lower)}

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return which images are inverted."""
        chosen = each(t["apply_inversion"], n)
        factors = np.where(chosen, [-1, self.value_range[1]], [1, 0]).astype(np.float32)
        return [("scale", factors, -np.inf, np.inf)]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomPosterization(FactorChange):
    """In training, keeps the first bits of each value.

    Args:
        factor: how many of 8 bits are kept, or (least, most); of two, the most is not drawn.
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
        >>> layer = pyconv.layers.RandomPosterization(1)
        >>> layer(np.array([127.0, 200.0]).reshape(1, 1, 2, 1), training=True).ravel().tolist()
        [0.0, 128.0]
    """

    bounds = (1, 8)

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``shift_factor`` (n,), how many bits are not kept."""
        lower, upper = self.factor
        bits = np.floor(lower + u[:, 0] * (upper - lower))
        return {"shift_factor": 8 - np.minimum(bits, max(lower, upper - 1))}

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images with fewer tones."""
        step = np.exp2(by_image(t["shift_factor"], len(images)))
        tones = np.floor(np.floor(rescaled(images, self.value_range, _BYTES)) / step) * step
        return rescaled(tones, _BYTES, self.value_range)


class RandomSharpness(FactorChange):
    """In training, makes each image sharper or smoother.

    ``x + (1 - 2 * factor) * (smooth - x)``, clipped, where ``smooth`` is the mean of 3x3 pixels, of
    which the middle one counts five times. Cubuk et al., "RandAugment", 2019.

    Args:
        factor: largest factor, or (least, most), 0 to 1: 0 is smooth, 0.5 no change, 1 sharp.
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
        >>> layer = pyconv.layers.RandomSharpness((0.5, 0.5))
        >>> layer(np.array([0.0, 64.0]).reshape(1, 1, 2, 1), training=True).ravel().tolist()
        [0.0, 64.0]
    """

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images, sharper or smoother."""
        factor = 2 * by_image(t["factor"], len(images))
        kernel = np.full((3, 3), 1 / 13, np.float32)
        kernel[1, 1] = 5 / 13
        smooth = smoothed(images, kernel)
        return np.clip(images + (1 - factor) * (smooth - images), *self.value_range)


def _share(owner: str, name: str, value: Any) -> tuple[float, float]:
    """Return (least, most) of a share, which is drawn from 0 where it is one number."""
    if isinstance(value, (tuple, list)) and len(value) == 2:
        low, high = sorted(number_arg(owner, f"{name}[{i}]", v, 0, 1) for i, v in enumerate(value))
        return low, high
    return 0.0, number_arg(owner, name, value, 0, 1)
