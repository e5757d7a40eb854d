"""``keras.datasets.cifar10``: see ``pyconv.datasets.cifar10``."""

from typing import Any

from pyconv.compat.keras.datasets._order import ordered
from pyconv.datasets import cifar10

__all__ = ["load_data"]


def load_data(path: Any = None) -> Any:
    """Load CIFAR-10, images (N, C, H, W) if ``keras.backend`` was told so.

    Args:
        path: see ``pyconv.datasets.cifar10.load_data``.

    Raises:
        FileNotFoundError, ValueError: as there.

    Example:
        >>> from pyconv.compat.keras.datasets import cifar10
        >>> cifar10.load_data("/nowhere")
        Traceback (most recent call last):
            ...
        FileNotFoundError: cifar10.load_data: path '/nowhere' does not exist
    """
    return ordered(cifar10.load_data(path))
