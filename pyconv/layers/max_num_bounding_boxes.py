"""As many boxes for each image."""

from typing import Any

import numpy as np

from pyconv._args import int_arg
from pyconv._types import Array
from pyconv.bounding_boxes.formats import dense_boxes
from pyconv.layers._image_layer import ImageLayer, Transformation


class MaxNumBoundingBoxes(ImageLayer):
    """Has each image have one number of boxes: others are left out, missing ones filled in.

    It is called on a dict of ``images`` and ``bounding_boxes``; images stay as they are.

    Args:
        max_number: the number.
        fill_value: all numbers and the label of a box that is filled in.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first; or one image.

    Output shape:
        That of the input; boxes ``(N, max_number, 4)``, labels ``(N, max_number)``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> boxes = {"boxes": np.ones((1, 1, 4)), "labels": np.array([[7]])}
        >>> two = pyconv.layers.MaxNumBoundingBoxes(2)
        >>> made = two({"images": np.ones((1, 4, 4, 3)), "bounding_boxes": boxes})
        >>> made["bounding_boxes"]["labels"].tolist()
        [[7, -1]]
    """

    _takes_boxes_of_a_format = False

    def __init__(
        self,
        max_number: int,
        fill_value: int = -1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.max_number = int_arg(self.label, "max_number", max_number)
        self.fill_value = int_arg(self.label, "fill_value", fill_value, -(2**31), 2**31 - 1)

    def transformed(self, images: Array, transformation: Transformation) -> Array:
        """Return the images."""
        return images

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Transformation = None, training: bool = True
    ) -> dict[str, Any]:
        """Return the boxes (N, max_number, 4), in training and outside."""
        given = dense_boxes(self.label, bounding_boxes)
        boxes, labels = given["boxes"], given["labels"]
        axis = boxes.ndim - 2
        return {**given, "boxes": self._cut(boxes, axis), "labels": self._cut(labels, axis)}

    def _cut(self, values: Any, axis: int) -> Any:
        kept = np.take(values, np.arange(min(values.shape[axis], self.max_number)), axis)
        sides = [(0, 0)] * kept.ndim
        sides[axis] = 0, self.max_number - kept.shape[axis]
        return np.pad(kept, sides, constant_values=self.fill_value)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the result for images, for one image, or for a dict of shapes."""
        if not isinstance(input_shape, dict) or "bounding_boxes" not in input_shape:
            return super().compute_output_shape(input_shape)
        shapes = dict(input_shape["bounding_boxes"])
        more = sorted(set(shapes) - {"boxes", "labels"})
        if more:
            raise KeyError(
                f"{self.label}: There are unsupported keys in `bounding_boxes`: {more}. Only "
                "`boxes` and `labels` are supported."
            )
        for name, shape in shapes.items():
            sizes = list(shape)
            sizes[1] = self.max_number
            shapes[name] = tuple(sizes)
        return {**input_shape, "bounding_boxes": shapes}

    def forward(self, x: Array, training: bool) -> Array:
        """Return x."""
        return x

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return dy."""
        return dy if need_dx else None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {"max_number": self.max_number, "fill_value": self.fill_value}
        return {**super().get_config(), **config}
