"""``keras.datasets.cifar100``: see ``pyconv.datasets.cifar100``."""

from typing import Any

from pyconv.compat.keras.datasets._order import ordered
from pyconv.datasets import cifar100

__all__ = ["load_data"]


def load_data(label_mode: str = "fine", path: Any = None) -> Any:
    """Load CIFAR-100, images (N, C, H, W) if ``keras.backend`` was told so.

    Args:
        label_mode: 'fine' or 'coarse'.
        path: see ``pyconv.datasets.cifar100.load_data``.

    Raises:
        FileNotFoundError, ValueError: as there.

    Example:
        >>> from pyconv.compat.keras.datasets import cifar100
        >>> cifar100.load_data(path="/nowhere")
        Traceback (most recent call last):
            ...
        FileNotFoundError: cifar100.load_data: path '/nowhere' does not exist
    """
    return ordered(cifar100.load_data(label_mode, path))
