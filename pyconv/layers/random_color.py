"""Random changes of colours."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Shape
from pyconv.layers._arguments import number_arg
from pyconv.layers._augmentation import Augmentation, Stage, each, factor_arg, range_arg
from pyconv.layers._image_layer import Transformation


class _ColourChange(Augmentation):
    """A layer of images of three channels, red, green and blue."""

    def numbers(self, c: int) -> int:
        """Return 1."""
        return 1

    def images_shape(self, shape: Shape) -> Shape:
        """Return ``shape``, which must have three channels."""
        if shape[3] != 3:
            raise ValueError(
                f"{self.label}: Input images must have 3 channels, red, green and blue, got {shape}"
            )
        return shape


class _FactorChange(_ColourChange):
    """Has a factor, drawn for each image, and the range of the images' values."""

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_arg(self.label, "factor", factor, 0, 1)
        self.value_range = range_arg(self.label, value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomGrayscale(_ColourChange):
    """In training, makes each image grey with some probability.

    Args:
        factor: the probability, 0 to 1.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        seed: an integer for the same choices in each run.
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
        >>> x = np.array([100.0, 0.0, 0.0], "float32").reshape(1, 1, 1, 3)
        >>> pyconv.layers.RandomGrayscale(1.0)(x, training=True).ravel().round(2).tolist()
        [29.889999389648438, 29.889999389648438, 29.889999389648438]
    """

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = number_arg(self.label, "factor", factor, 0, 1)

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``should_apply`` (n, 1, 1, 1): which images are grey."""
        return {"should_apply": (u < self.factor).reshape(-1, 1, 1, 1)}

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return which images are grey."""
        chosen = t["should_apply"] if isinstance(t, dict) else t
        return [("grey", each(chosen, n).astype(np.float32), -np.inf, np.inf)]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor}


class RandomColorDegeneration(_FactorChange):
    """In training, moves the colours of each image towards grey.

    ``x + factor * (grey - x)``, clipped.

    Args:
        factor: largest factor, or (least, most), 0 to 1; 1 is grey.
        value_range: least and largest value of the images.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        seed: an integer for the same choices in each run.
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
        >>> layer = pyconv.layers.RandomColorDegeneration((0.5, 0.5))
        >>> x = np.array([100.0, 0.0, 0.0], "float32").reshape(1, 1, 1, 3)
        >>> layer(x, training=True).ravel().round().tolist()
        [65.0, 15.0, 15.0]
    """

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``factor`` (n, 1, 1, 1)."""
        lower, upper = self.factor
        return {"factor": (lower + u * (upper - lower)).reshape(-1, 1, 1, 1)}

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return how much weaker colours are."""
        return [("grey", each(t["factor"], n).astype(np.float32), *self.value_range)]


class RandomSaturation(_FactorChange):
    """In training, changes the saturation of each image, in the space of hue and saturation.

    The saturation, which stays at 1 at most, is multiplied by ``factor / (1 - factor)``.

    Args:
        factor: largest factor, or (least, most), 0 to 1: 0 is grey, 0.5 no change, 1 full colour.
        value_range: least and largest value of the images.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        seed: an integer for the same choices in each run.
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
        >>> layer = pyconv.layers.RandomSaturation((0.0, 0.0))
        >>> x = np.array([100.0, 0.0, 50.0], "float32").reshape(1, 1, 1, 3)
        >>> layer(x, training=True).ravel().tolist()
        [100.0, 100.0, 100.0]
    """

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``factor`` (n,), what saturations are multiplied by."""
        lower, upper = self.factor
        share = lower + u[:, 0] * (upper - lower)
        return {"factor": share / (1 - share + 1e-7)}

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return what saturations are multiplied by."""
        factors = np.maximum(each(t["factor"], n), 0).astype(np.float32)
        return [("saturation", factors, -np.inf, np.inf)]


class RandomHue(_FactorChange):
    """In training, turns the hues of each image.

    Args:
        factor: largest factor, or (least, most), 0 to 1: hues are turned by up to half of it of
            the circle, either way.
        value_range: least and largest value of the images.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        seed: an integer for the same choices in each run.
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
        >>> layer = pyconv.layers.RandomHue((1.0, 1.0), value_range=(0, 1))
        >>> x = np.array([1.0, 0.0, 0.0], "float32").reshape(1, 1, 1, 3)
        >>> layer(x, training=True).ravel().tolist()
        [0.0, 1.0, 1.0]
    """

    def numbers(self, c: int) -> int:
        """Return 2: the side, and how far."""
        return 2

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``factor`` (n,), shares of the circle that hues are turned by."""
        lower, upper = self.factor
        side = np.where(u[:, 0] > 0.5, -0.5, 0.5)
        return {"factor": (lower + u[:, 1] * (upper - lower)) * side}

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return how far hues are turned."""
        return [("hue", each(t["factor"], n).astype(np.float32), *self.value_range)]
