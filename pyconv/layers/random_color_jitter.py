"""Random brightness, contrast, saturation and hue together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Shape
from pyconv.layers._augmentation import Augmentation, Stage, as_given, range_arg
from pyconv.layers._image_layer import Transformation
from pyconv.layers.random_brightness import RandomBrightness, RandomContrast
from pyconv.layers.random_color import RandomHue, RandomSaturation


class RandomColorJitter(Augmentation):
    """In training, changes brightness, contrast, saturation and hue of each image, in this order.

    Args:
        value_range: least and largest value of the images.
        brightness_factor: that of ``RandomBrightness``; None to leave it.
        contrast_factor: that of ``RandomContrast``.
        saturation_factor: that of ``RandomSaturation``.
        hue_factor: that of ``RandomHue``.
        seed: an integer for the same choices in each run.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, 3)``, or ``(N, 3, H, W)`` where channels are first; or one image.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.RandomColorJitter((0, 1), brightness_factor=(0.25, 0.25))
        >>> layer(np.full((1, 1, 1, 3), 0.5), training=True).ravel().tolist()
        [0.75, 0.75, 0.75]
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.value_range = range_arg(self.label, value_range)
        self.brightness_factor = as_given(brightness_factor)
        self.contrast_factor = as_given(contrast_factor)
        self.saturation_factor = as_given(saturation_factor)
        self.hue_factor = as_given(hue_factor)
        kinds: dict[str, tuple[type[Augmentation], Any]] = {
            "random_brightness": (RandomBrightness, brightness_factor),
            "random_contrast": (RandomContrast, contrast_factor),
            "random_saturation": (RandomSaturation, saturation_factor),
            "random_hue": (RandomHue, hue_factor),
        }
        self._parts: dict[str, Any] = {}
        for name, (kind, factor) in kinds.items():
            if factor is not None:
                make: Any = kind
                options = {"seed": 0, "name": f"{self.name}_{name}"}
                self._parts[name] = make(factor, self.value_range, **options)

    def numbers(self, c: int) -> int:
        """Return those of the changes."""
        return sum(part.numbers(c) for part in self._parts.values())

    def images_shape(self, shape: Shape) -> Shape:
        """Return ``shape``, which each of the changes must take."""
        for part in self._parts.values():
            part.images_shape(shape)
        return shape

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return what each of the changes draws, by name."""
        made, at = {}, 0
        for name, part in self._parts.items():
            end = at + part.numbers(c)
            made[name] = part.drawn(u[:, at:end], h, w, c)
            at = end
        return made

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return the changes, one after the other."""
        made: list[Stage] = []
        for name, part in self._parts.items():
            made += part.stages(t[name], n, h, w, c)
        return made

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "brightness_factor": self.brightness_factor,
            "contrast_factor": self.contrast_factor,
            "saturation_factor": self.saturation_factor,
            "hue_factor": self.hue_factor,
        }
