"""What translations, rotations and zooms share: images are warped by a matrix each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.layers._arguments import number_arg
from pyconv.layers._augmentation import Augmentation, Stage, fill_mode_arg


class Affine(Augmentation):
    """A layer that warps each image; a kind of it draws the matrices."""

    def __init__(
        self,
        fill_mode: str,
        interpolation: str,
        seed: int | None,
        fill_value: float,
        data_format: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.fill_mode = fill_mode_arg(self.label, fill_mode)
        if interpolation not in ("bilinear", "nearest"):
            raise ValueError(
                f"{self.label}: interpolation must be 'bilinear' or 'nearest', got "
                f"{interpolation!r:.60}"
            )
        self.interpolation = interpolation
        self.fill_value = number_arg(self.label, "fill_value", fill_value)

    def matrices(self, n: int, h: int, w: int) -> NDArray[np.float64]:
        """Draw (n, 6): the row and the column of x that a row and a column of y come from."""
        raise NotImplementedError

    def stage(self, n: int, h: int, w: int, c: int) -> Stage:
        """Draw how images are warped."""
        matrices = self.matrices(n, h, w)
        return "affine", matrices, self.interpolation, self.fill_mode, self.fill_value

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }


def identity(n: int) -> NDArray[np.float64]:
    """Return matrices (n, 6) that leave images as they are."""
    made = np.zeros((n, 6))
    made[:, 0] = made[:, 4] = 1.0
    return made
