"""Random brightness and contrast."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.layers._augmentation import Augmentation, Stage, each, factor_arg, range_arg
from pyconv.layers._image_layer import Transformation


class RandomBrightness(Augmentation):
    """In training, adds a random number to each image, and clips it to the range of values.

    Args:
        factor: largest share of the range of values, or (least, most), -1 to 1.
        value_range: least and largest value of the images.
        seed: an integer for the same choices in each run.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``, ``data_format``.

    Input shape:
        ``(N, H, W, C)``.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> brighter = pyconv.layers.RandomBrightness((0.25, 0.25), value_range=(0, 1))
        >>> brighter(np.full((1, 1, 2, 1), [[[[0.5], [1.0]]]]), training=True).ravel().tolist()
        [0.75, 1.0]
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        self.factor = factor_arg(self.label, "factor", factor, -1, 1)
        self.value_range = range_arg(self.label, value_range)

    def numbers(self, c: int) -> int:
        """Return 1: what is added."""
        return 1

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``rgb_delta`` (n, 1, 1, 1)."""
        low, high = self.value_range
        lower, upper = self.factor
        return {"rgb_delta": ((lower + u * (upper - lower)) * (high - low)).reshape(-1, 1, 1, 1)}

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return what is added."""
        factors = np.ones((n, 2), np.float32)
        factors[:, 1:] = each(t["rgb_delta"], n)
        return [("scale", factors, *self.value_range)]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomContrast(Augmentation):
    """In training, moves the values of each image away from their mean or towards it.

    ``(x - mean) * factor + mean`` with the mean of the image's channel, clipped.

    Args:
        factor: largest change of the factor, or two of them, 0 to 1: it is drawn from
            ``1 - lower`` to ``1 + upper``.
        value_range: least and largest value of the images.
        seed: an integer for the same choices in each run.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``, ``data_format``.

    Input shape:
        ``(N, H, W, C)``.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.RandomContrast(0.5)
        >>> x = np.array([100.0, 110.0], "float32").reshape(1, 1, 2, 1)
        >>> float(layer(x, training=True).mean())
        105.0
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        pair = isinstance(factor, (tuple, list))
        lower, upper = factor_arg(self.label, "factor", factor, 0, 1)
        self.factor = (lower, upper) if pair else (upper, upper)
        self.value_range = range_arg(self.label, value_range)

    def numbers(self, c: int) -> int:
        """Return 1: the factor."""
        return 1

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``contrast_factor`` (n, 1, 1, 1)."""
        lower, upper = self.factor
        factors = 1 - lower + u * (upper + lower)
        return {"contrast_factor": factors.reshape(-1, 1, 1, 1).astype(np.float32)}

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return the factors."""
        factors = each(t["contrast_factor"], n).astype(np.float32)
        return [("contrast", factors, *self.value_range)]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}
