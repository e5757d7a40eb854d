"""Random rotations."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.layers._affine import Affine
from pyconv.layers._augmentation import as_given, each, factor_arg
from pyconv.layers._image_layer import Transformation


class RandomRotation(Affine):
    """In training, turns each image around its middle by a random angle.

    Args:
        factor: largest share of a full turn, or (least, most), -1 to 1; above 0 is
            counter-clockwise.
        fill_mode, interpolation, seed, fill_value, data_format: see ``RandomTranslation``.
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
        >>> quarter = pyconv.layers.RandomRotation((0.25, 0.25), interpolation="nearest")
        >>> x = np.array([[1.0, 2.0], [3.0, 4.0]], "float32").reshape(1, 2, 2, 1)
        >>> quarter(x, training=True)[0, :, :, 0].tolist()
        [[2.0, 4.0], [1.0, 3.0]]
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = as_given(factor)
        self._bounds = factor_arg(self.label, "factor", factor, -1, 1)

    def numbers(self, c: int) -> int:
        """Return 1: the angle."""
        return 1

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return the ``angle`` (n,) in degrees."""
        lower, upper = self._bounds
        return {"angle": 360 * (lower + u[:, 0] * (upper - lower))}

    def matrices(self, t: Transformation, n: int, h: int, w: int) -> NDArray[np.float64]:
        """Return (n, 6)."""
        angle = np.deg2rad(each(t["angle"], n)[:, 0].astype(np.float64))
        cos, sin = np.cos(angle), np.sin(angle)
        y, x = (h - 1) / 2, (w - 1) / 2
        made = np.empty((n, 6))
        made[:, 0] = made[:, 4] = cos
        made[:, 1] = sin
        made[:, 3] = -sin
        made[:, 2] = y - y * cos - x * sin
        made[:, 5] = x - x * cos + y * sin
        return made

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor}
