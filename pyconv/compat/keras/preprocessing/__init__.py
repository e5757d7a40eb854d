"""``keras.preprocessing``: image."""

from pyconv.compat import _unsupported
from pyconv.compat._image_dataset import image_dataset_from_directory
from pyconv.compat._timeseries import timeseries_dataset_from_array
from pyconv.compat.keras.preprocessing import image

__all__ = ["image", "image_dataset_from_directory", "timeseries_dataset_from_array"]
__getattr__ = _unsupported.getter(__name__)
