"""What MaxPooling2D and AveragePooling2D share."""

from typing import Any

from pyconv._args import pair_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import image_shape
from pyconv.layers._windows import HasWindows, Windows
from pyconv.layers.layer import Layer


class Pool2D(HasWindows, Layer):
    """A layer that makes one number of each window of each channel."""

    def __init__(
        self, pool_size: Any, strides: Any, padding: Any, data_format: Any, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)
        self.pool_size = pair_arg(self.label, "pool_size", pool_size)
        self.strides = (
            self.pool_size if strides is None else pair_arg(self.label, "strides", strides)
        )
        self.windows = Windows(self.label, self.pool_size, self.strides, padding)
        self.padding = self.windows.padding
        if not isinstance(self.padding, str):
            for axis, pads in enumerate(self.padding):
                if max(pads) >= self.pool_size[axis]:
                    raise ValueError(
                        f"{self.label}: padding must be smaller than pool_size, so that each "
                        f"window has a cell of the image, got padding={self.padding} and "
                        f"pool_size={self.pool_size}"
                    )
        self._x: Array | None = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, OH, OW, C)."""
        shape = image_shape(self.label, input_shape)
        return (shape[0], *self.windows.output_size(shape), shape[3])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
        }
