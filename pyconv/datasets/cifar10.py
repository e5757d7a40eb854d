"""CIFAR-10: 60,000 colour images of 32x32 pixels in ten classes."""

import os

from pyconv.datasets._cifar_files import CATALOG, CLASS_NAMES, Part, read
from pyconv.datasets._search import locate

__all__ = ["CLASS_NAMES", "load_data"]


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Part, Part]:
    """Load CIFAR-10, downloading it (170 MB) where it is not on this machine yet.

    Without ``path`` it is looked for in the folder that the environment variable ``PYCONV_DATA``
    names, in pyconv's cache (``~/.cache/pyconv``, or under ``XDG_CACHE_HOME``) and in Keras's
    (``~/.keras/datasets``); else the official archive is downloaded into the cache. An
    interrupted download goes on where it stopped, and its SHA-256 is checked.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html. Batches with fewer than 10,000 images are read
    as they are.

    Args:
        path: the official binary or python layout: the folder of the batches, the folder above
            it, or the ``.tar.gz`` (or ``.tar``), which is read without extracting it; or a folder
            with ``train/`` and ``test/``, each with a folder of PNG or JPEG images for every class
            (``train/cat/1.png``), which needs Pillow. Their order mixes the classes, and is always
            the same.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images uint8 (50000, 32, 32, 3) and
        (10000, 32, 32, 3) of values 0 to 255, labels uint8 (50000, 1) and (10000, 1) of
        classes 0 to 9 (``CLASS_NAMES``).

    Raises:
        ImportError: ``path`` is a folder of images, and there is no Pillow.
        TypeError: ``path`` is no path.
        ValueError: a file is truncated, damaged or of another kind; the message names it.
        FileNotFoundError: CIFAR-10 is not at ``path``; or, without one, it is nowhere and could
            not be downloaded. The message says where it was looked for and what to do.

    Example:
        >>> import pathlib, tempfile
        >>> from pyconv.datasets import cifar10
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> record = bytes([3]) + bytes(3072)  # a label and a black image
        >>> for name in ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
        ...              "data_batch_5", "test_batch"]:
        ...     _ = (folder / f"{name}.bin").write_bytes(2 * record)
        >>> (x_train, y_train), (x_test, y_test) = cifar10.load_data(folder)
        >>> x_train.shape, y_train.shape, x_test.shape
        ((10, 32, 32, 3), (10, 1), (2, 32, 32, 3))
        >>> cifar10.CLASS_NAMES[y_train[0, 0]]
        'cat'
    """
    return read(locate(CATALOG, path))
