"""Random translations."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.layers._affine import Affine, identity
from pyconv.layers._augmentation import as_given, each, factor_arg
from pyconv.layers._image_layer import Transformation


class RandomTranslation(Affine):
    """In training, moves each image down and to the right by random shares of its size.

    Args:
        height_factor: largest share of the height, or (least, most), -1 to 1; below 0 is up.
        width_factor: the same of the width; below 0 is to the left.
        fill_mode: what lies outside of an image: ``"reflect"`` (dcba|abcd|dcba), ``"wrap"``
            (abcd|abcd|abcd), ``"nearest"`` (aaaa|abcd|dddd) or ``"constant"``.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: an integer for the same choices in each run.
        fill_value: what ``"constant"`` fills with.
        data_format: None or ``"channels_last"``.
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
        >>> down = pyconv.layers.RandomTranslation((0.5, 0.5), 0.0, fill_mode="constant")
        >>> x = np.array([1.0, 2.0, 3.0, 4.0], "float32").reshape(1, 4, 1, 1)
        >>> down(x, training=True).ravel().tolist()
        [0.0, 0.0, 1.0, 2.0]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor = as_given(height_factor)
        self.width_factor = as_given(width_factor)
        bounds = [
            factor_arg(self.label, name, value, -1, 1)
            for name, value in (("height_factor", height_factor), ("width_factor", width_factor))
        ]
        self._lower, upper = np.array(bounds).T
        self._span = upper - self._lower

    def numbers(self, c: int) -> int:
        """Return 2: down and to the right."""
        return 2

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return the ``translations`` (n, 2), to the right and down, in pixels."""
        moves = (self._lower + u * self._span) * (h, w)
        return {"translations": moves[:, ::-1]}

    def matrices(self, t: Transformation, n: int, h: int, w: int) -> NDArray[np.float64]:
        """Return (n, 6)."""
        made = identity(n)
        made[:, 2::3] = -each(t["translations"], n, 2)[:, ::-1]
        return made

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "height_factor": self.height_factor,
            "width_factor": self.width_factor,
        }
