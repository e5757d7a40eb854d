"""``keras.datasets.fashion_mnist``: see ``pyconv.datasets.fashion_mnist``."""

from pyconv.datasets.fashion_mnist import load_data

__all__ = ["load_data"]
