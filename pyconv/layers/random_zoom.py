"""Random zooms."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.layers._affine import Affine, identity
from pyconv.layers._augmentation import as_given, each, factor_arg
from pyconv.layers._image_layer import Transformation


class RandomZoom(Affine):
    """In training, zooms each image around its middle.

    Args:
        height_factor: largest share by which the height shows more of the image (above 0: it
            looks smaller) or less, or (least, most), above -1 to 1.
        width_factor: the same of the width; None for that of the height, which keeps
            proportions.
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
        >>> smaller = pyconv.layers.RandomZoom((1.0, 1.0), fill_mode="constant")
        >>> smaller(np.ones((1, 4, 4, 1), "float32"), training=True)[0, :, :, 0].tolist()[0]
        [0.0, 0.0, 0.0, 0.0]
    """

    _boxes_keep_batch = True

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
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
        above = float(np.nextafter(-1.0, 0.0))
        self._height = factor_arg(self.label, "height_factor", height_factor, above, 1)
        self._width = (
            None
            if width_factor is None
            else factor_arg(self.label, "width_factor", width_factor, above, 1)
        )

    def numbers(self, c: int) -> int:
        """Return 2: of the rows and the columns."""
        return 2

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``height_zoom`` and ``width_zoom`` (n, 1)."""
        zooms = []
        for axis, (lower, upper) in enumerate((self._height, self._width or self._height)):
            share = u[:, axis if self._width else 0]
            zooms.append((1 + lower + share * (upper - lower)).reshape(-1, 1))
        return {"height_zoom": zooms[0], "width_zoom": zooms[1]}

    def matrices(self, t: Transformation, n: int, h: int, w: int) -> NDArray[np.float64]:
        """Return (n, 6)."""
        zooms = each(t["height_zoom"], n)[:, 0], each(t["width_zoom"], n)[:, 0]
        made = identity(n)
        made[:, 0], made[:, 4] = zooms
        made[:, 2], made[:, 5] = (h - 1) / 2 * (1 - zooms[0]), (w - 1) / 2 * (1 - zooms[1])
        return made

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "height_factor": self.height_factor,
            "width_factor": self.width_factor,
        }
