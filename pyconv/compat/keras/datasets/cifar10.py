"""``keras.datasets.cifar10``: see ``pyconv.datasets.cifar10``."""

from pyconv.datasets.cifar10 import load_data

__all__ = ["load_data"]
