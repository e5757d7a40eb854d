"""What layers share that change the values of pixels at random in training, with numpy."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pyconv import backend
from pyconv._types import Array
from pyconv.layers._augmentation import Augmentation, each, factor_arg, range_arg
from pyconv.layers._image_layer import Transformation


class PixelChange(Augmentation):
    """A layer that changes the pixels of each image; a kind of it implements ``changed``."""

    # Whether images are changed outside of training too.
    always = False

    def numbers(self, c: int) -> int:
        """Return 1."""
        return 1

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return images (N, H, W, C) changed as t says."""
        raise NotImplementedError

    def has_stage(self, h: int, w: int) -> bool:
        """Return False: there is no native form of the change."""
        return False

    def transformed(self, images: Array, transformation: Transformation) -> Array:
        """Return images (N, H, W, C) changed."""
        return np.asarray(self.changed(images, transformation), np.float32)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the images, changed in training; they are where x is."""
        self._left = not (training or self.always)
        if self._left:
            return x
        images = np.asarray(x)
        t = self.draw(*images.shape)
        y: Array = self._on_host.get("y", images.shape)
        y[...] = self.changed(images, t)
        result: Array = y if isinstance(x, np.ndarray) else backend.on_device(y)
        return result


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

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``factor`` (n,)."""
        lower, upper = self.factor
        return {"factor": lower + u[:, 0] * (upper - lower)}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


def by_image(value: Any, n: int) -> Array:
    """Return a number for each of n images, (n, 1, 1, 1)."""
    return np.asarray(each(value, n), np.float32).reshape(n, 1, 1, 1)


def rescaled(x: Array, source: tuple[float, float], target: tuple[float, float]) -> Array:
    """Return values of one range as those of another."""
    if source == target:
        return x
    factor = (target[1] - target[0]) / (source[1] - source[0])
    moved: Array = x * np.float32(factor) + np.float32(target[0] - source[0] * factor)
    return moved


def smoothed(images: Array, kernel: Array) -> Array:
    """Return each channel of images (N, H, W, C) convolved with a kernel of odd sizes."""
    x = np.ascontiguousarray(images, np.float32)
    n, h, w, c = x.shape
    rows, columns = (size // 2 for size in kernel.shape)
    each_channel = np.repeat(kernel[:, :, np.newaxis, np.newaxis], c, axis=3)
    return backend.cpu.conv2d_forward(
        x,
        np.ascontiguousarray(each_channel, np.float32),
        None,
        (1, 1),
        (rows, rows, columns, columns),
        (1, 1),
        c,
        "linear",
        np.empty((n, h, w, c), np.float32),
    )
