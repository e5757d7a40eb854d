"""``keras.datasets``: cifar10, cifar100, fashion_mnist and mnist."""

from pyconv.compat import _unsupported
from pyconv.compat.keras.datasets import cifar10, cifar100, fashion_mnist, mnist

__all__ = ["cifar10", "cifar100", "fashion_mnist", "mnist"]
__getattr__ = _unsupported.getter(__name__)
