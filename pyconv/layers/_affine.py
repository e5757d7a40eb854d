"""What translations, rotations and zooms share: images are warped by a matrix each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.bounding_boxes.moves import through_matrices
from pyconv.layers._arguments import number_arg
from pyconv.layers._augmentation import Augmentation, Stage, fill_mode_arg, sampling_arg
from pyconv.layers._image_layer import Transformation


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
        self.interpolation = sampling_arg(self.label, interpolation)
        self.fill_value = number_arg(self.label, "fill_value", fill_value)

    def matrices(self, t: Transformation, n: int, h: int, w: int) -> NDArray[np.float64]:
        """Return (n, 6): the row and the column of x that a row and a column of y come from."""
        raise NotImplementedError

    def stages(self, t: Transformation, n: int, h: int, w: int, c: int) -> list[Stage]:
        """Return how images are warped."""
        matrices = self.matrices(t, n, h, w)
        return [("affine", matrices, self.interpolation, self.fill_mode, self.fill_value)]

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return masks warped as the images are, with the values of the nearest cells."""
        return self._nearest(segmentation_masks, transformation, training)

    def moved_boxes(self, boxes: Array, transformation: Transformation, h: int, w: int) -> Array:
        """Return the boxes around what the boxes (N, K, 4) are warped to."""
        return through_matrices(boxes, self.matrices(transformation, len(boxes), h, w))

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
