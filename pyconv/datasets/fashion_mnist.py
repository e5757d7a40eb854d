"""Fashion-MNIST: 70,000 grey images of 28x28 pixels in ten classes of clothing."""

import os

from pyconv.datasets._idx_files import CATALOG, Part, read
from pyconv.datasets._search import locate

__all__ = ["CLASS_NAMES", "load_data"]

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Part, Part]:
    """Load Fashion-MNIST, downloading it (31 MB) where it is not on this machine yet.

    Without ``path`` it is looked for in the folder that the environment variable ``PYCONV_DATA``
    names, in pyconv's cache (``~/.cache/pyconv``, or under ``XDG_CACHE_HOME``), in Keras's
    (``~/.keras/datasets``) and where Debian's package ``dataset-fashion-mnist`` puts it; else
    the official files are downloaded into the cache. An interrupted download goes on where it
    stopped, and its SHA-256 is checked.

    Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for
    Benchmarking Machine Learning Algorithms", 2017, https://arxiv.org/abs/1708.07747.

    Args:
        path: the folder of the four IDX files, gzipped or plain, or the folder above it.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images uint8 (60000, 28, 28) and
        (10000, 28, 28) of values 0 (background) to 255, labels uint8 (60000,) and (10000,) of
        classes 0 to 9 (``CLASS_NAMES``).

    Raises:
        TypeError: ``path`` is no path.
        ValueError: a file is truncated, damaged or of another kind; the message names it.
        FileNotFoundError: Fashion-MNIST is not at ``path``; or, without one, it is nowhere and
            could not be downloaded. The message says where it was looked for and what to do.

    Example:
        >>> import pathlib, struct, tempfile
        >>> from pyconv.datasets import fashion_mnist
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> images = struct.pack(">4B3I", 0, 0, 8, 3, 2, 28, 28) + bytes(2 * 28 * 28)
        >>> labels = struct.pack(">4BI", 0, 0, 8, 1, 2) + bytes([9, 0])
        >>> for part in "train", "t10k":
        ...     _ = (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
        ...     _ = (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)
        >>> (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data(folder)
        >>> x_train.shape, y_train.shape
        ((2, 28, 28), (2,))
        >>> fashion_mnist.CLASS_NAMES[y_train[0]]
        'Ankle boot'
    """
    return read(locate(CATALOG, path))
