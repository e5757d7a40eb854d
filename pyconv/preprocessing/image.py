"""``ImageDataGenerator`` of Keras 2, and images from files (Pillow)."""

from pyconv.preprocessing._directory import DirectoryIterator, image_dataset_from_directory
from pyconv.preprocessing._files import array_to_img, img_to_array, load_img, save_img
from pyconv.preprocessing._generator import ImageDataGenerator
from pyconv.preprocessing._iterator import ImageIterator, NumpyArrayIterator
from pyconv.preprocessing._table import DataFrameIterator

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "ImageIterator",
    "NumpyArrayIterator",
    "array_to_img",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "save_img",
]
