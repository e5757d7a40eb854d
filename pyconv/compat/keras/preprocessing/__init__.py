"""``keras.preprocessing``: image."""

from pyconv.compat import _unsupported
from pyconv.compat.keras.preprocessing import image
from pyconv.preprocessing.image import image_dataset_from_directory

__all__ = ["image", "image_dataset_from_directory"]
__getattr__ = _unsupported.getter(__name__)
