"""Data sets in the order of axes that Keras was told."""

from typing import Any

from pyconv.compat import _image_order


def ordered(data: Any) -> Any:
    """Return ((x_train, y_train), (x_test, y_test)), images (N, C, H, W) if they are to be."""
    if _image_order.data_format() == "channels_last":
        return data
    return tuple((x.transpose(0, 3, 1, 2), y) for x, y in data)
