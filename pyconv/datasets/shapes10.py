"""Ten classes of shapes in 32x32 colour images, drawn from a seed: data for want of a network."""

import numpy as np
from numpy.typing import NDArray

from pyconv._args import int_arg
from pyconv.datasets._shapes import CLASS_NAMES, draw

__all__ = ["CLASS_NAMES", "load_data"]

UInt8 = NDArray[np.uint8]
Part = tuple[UInt8, UInt8]

_MAX_IMAGES = 1_000_000  # 3 GB


def load_data(n_train: int = 10000, n_test: int = 2000, seed: int = 0) -> tuple[Part, Part]:
    """Draw the shapes10 data set: no files, no network, the same bits on every machine.

    Each image has one shape of random position, size, rotation, proportions and colours over a
    random gradient with texture, clutter and noise. The first images of a larger set are those
    of a smaller one with the same seed. Every ten images in a row hold each class once.

    Args:
        n_train: number of training images, 1 to 1,000,000.
        n_test: number of test images, 1 to 1,000,000.
        seed: 0 to 2**63 - 1; another seed draws other images.

    Returns:
        ``(x_train, y_train), (x_test, y_test)`` as CIFAR-10 has them: images uint8
        (N, 32, 32, 3) of values 0 to 255, labels uint8 (N, 1) of classes 0 to 9
        (``CLASS_NAMES``).

    Raises:
        TypeError: an argument is no integer.
        ValueError: an argument is out of its range.

    Example:
        >>> from pyconv.datasets import shapes10
        >>> (x_train, y_train), (x_test, y_test) = shapes10.load_data(n_train=100, n_test=20)
        >>> x_train.shape, x_train.dtype, y_train.shape
        ((100, 32, 32, 3), dtype('uint8'), (100, 1))
        >>> [shapes10.CLASS_NAMES[label] for label in y_test[:3, 0]]
        ['star', 'square', 'arrow']
    """
    owner = "shapes10.load_data"
    n_train = int_arg(owner, "n_train", n_train, maximum=_MAX_IMAGES)
    n_test = int_arg(owner, "n_test", n_test, maximum=_MAX_IMAGES)
    seed = int_arg(owner, "seed", seed, minimum=0, maximum=2**63 - 1)
    return draw(n_train, seed, stream=0), draw(n_test, seed, stream=1)
