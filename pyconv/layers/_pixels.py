"""What layers share that change the values of pixels at random in training, with numpy."""

from typing import Any, ClassVar

import numpy as np

from pyconv import backend
from pyconv._types import Array
from pyconv.layers._augmentation import Augmentation, factor_arg, range_arg


class PixelChange(Augmentation):
    """A layer that changes the pixels of each image; a kind of it implements ``changed``."""

    # Whether images are changed outside of training too.
    always = False

    def changed(self, images: Array) -> Array:
        """Return images (N, H, W, C) changed, with one call of ``uniform`` at most."""
        raise NotImplementedError

    def has_stage(self, h: int, w: int) -> bool:
        """Return False: there is no native form of the change."""
        return False

    def forward(self, x: Array, training: bool) -> Array:
        """Return the images, changed in training; they are where x is."""
        self._left = not (training or self.always)
        if self._left:
            return x
        images = np.asarray(x)
        self._drawn_batches, self._blocks = 1, 0
        y: Array = self._on_host.get("y", images.shape)
        y[...] = self.changed(images)
        self._next += self._blocks
        result: Array = y if isinstance(x, np.ndarray) else backend.on_device(y)
        return result

    def draw(self, n: int, lower: float, upper: float) -> Array:
        """Draw a number for each image, (n, 1, 1, 1), from ``lower`` to ``upper``."""
        drawn = lower + self.uniform(n, 1) * (upper - lower)
        each: Array = np.asarray(drawn, np.float32).reshape(n, 1, 1, 1)
        return each


class FactorChange(PixelChange):
    """A layer with a factor, drawn for each image, and the range of the images' values."""

    bounds: ClassVar[tuple[float, float]] = (0, 1)

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_arg(self.label, "factor", factor, *self.bounds)
        self.value_range = range_arg(self.label, value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


def rescaled(x: Array, source: tuple[float, float], target: tuple[float, float]) -> Array:
    """Return values of one range as those of another."""
    if source == target:
        return x
    factor = (target[1] - target[0]) / (source[1] - source[0])
    moved: Array = x * np.float32(factor) + np.float32(target[0] - source[0] * factor)
    return moved
