"""CIFAR-100: 60,000 colour images of 32x32 pixels in a hundred classes."""

import os

from pyconv._args import is_one_of
from pyconv.datasets._cifar100_files import CATALOG, Part, read
from pyconv.datasets._search import locate

__all__ = ["load_data"]


def load_data(
    label_mode: str = "fine", path: str | os.PathLike[str] | None = None
) -> tuple[Part, Part]:
    """Load CIFAR-100, downloading it (169 MB) where it is not on this machine yet.

    It is looked for as ``cifar10.load_data`` says. Source: A. Krizhevsky, "Learning Multiple
    Layers of Features from Tiny Images", 2009, https://www.cs.toronto.edu/~kriz/cifar.html.

    Args:
        label_mode: ``"fine"`` for 100 classes, ``"coarse"`` for the 20 groups of them.
        path: the official python layout: the folder of ``train`` and ``test``, the folder above
            it, or the ``.tar.gz`` (or ``.tar``), which is read without extracting it.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images uint8 (50000, 32, 32, 3) and
        (10000, 32, 32, 3) of values 0 to 255, labels uint8 (50000, 1) and (10000, 1).

    Raises:
        TypeError: ``path`` is no path.
        ValueError: ``label_mode`` is neither, or a file is truncated, damaged or of another kind.
        FileNotFoundError: CIFAR-100 is not at ``path``; or, without one, it is nowhere and could
            not be downloaded. The message says where it was looked for and what to do.

    Example:
        >>> import pathlib, pickle, tempfile
        >>> import numpy as np
        >>> from pyconv.datasets import cifar100
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> images = np.zeros((2, 3072), "uint8")
        >>> content = {"data": images, "fine_labels": [7, 99], "coarse_labels": [3, 19]}
        >>> for name in ["train", "test"]:
        ...     _ = (folder / name).write_bytes(pickle.dumps(content, 2))
        >>> (x_train, y_train), (x_test, y_test) = cifar100.load_data("coarse", folder)
        >>> x_train.shape, y_train.ravel().tolist()
        ((2, 32, 32, 3), [3, 19])
    """
    if not is_one_of(label_mode, ("fine", "coarse")):
        raise ValueError(
            f"cifar100.load_data: label_mode must be 'fine' or 'coarse', got {label_mode!r:.60}"
        )
    return read(locate(CATALOG, path), label_mode)
