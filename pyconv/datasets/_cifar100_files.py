"""CIFAR-100's files: the official python layout, in a folder or a tar archive.

It is described at https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyconv.datasets import _pickle
from pyconv.datasets._download import Remote
from pyconv.datasets._files import read_file, read_members
from pyconv.datasets._search import Catalog

UInt8 = NDArray[np.uint8]
Part = tuple[UInt8, UInt8]

_NAMES = ("train", "test")
_CLASSES = {"fine": 100, "coarse": 20}
_PIXELS = 3 * 32 * 32
_MAX_RECORDS = 50_000
# A pickle of 50,000 images: 155 MB, or 1.5 times that where Python 3 wrote it for Python 2.
_MAX_BYTES = 1 << 28
_FOLDERS = (
    ".",
    "cifar-100-python",
    "cifar-100-python/cifar-100-python",
    "cifar-100-python-target/cifar-100-python",
)
_ARCHIVES = (
    "cifar-100-python.tar.gz",
    "cifar-100-python.tar",
    "cifar-100-python_archive",
    "cifar-100-python-target_archive",
)


def candidates(place: Path) -> Iterator[Path]:
    """Yield ``place`` if it is a file, else what in it may be CIFAR-100."""
    if os.path.isfile(place):
        yield place
        return
    for name in _FOLDERS:
        if len(missing(place / name)) < len(_NAMES):
            yield place / name
    for name in _ARCHIVES:
        if os.path.isfile(place / name):
            yield place / name


def missing(source: Path) -> list[str]:
    """Return the files that the folder ``source`` lacks; of an archive none."""
    if os.path.isfile(source):
        return []
    return [name for name in _NAMES if not os.path.isfile(source / name)]


CATALOG = Catalog(
    name="cifar100",
    title="CIFAR-100",
    contents="cifar-100-python/, its files train and test, or the official .tar.gz",
    candidates=candidates,
    missing=missing,
    remotes=(
        Remote(
            url="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
            size=169_001_437,
            sha256="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
            file="cifar-100-python.tar.gz",
        ),
    ),
)


def read(source: Path, label_mode: str) -> tuple[Part, Part]:
    """Return ((x_train, y_train), (x_test, y_test)) of the folder or archive ``source``."""
    parts = {name: _decode(name, data, source, label_mode) for name, data in _contents(source)}
    lacks = [name for name in _NAMES if name not in parts]
    if lacks:
        raise ValueError(f"{source}: lacks {', '.join(lacks)}; expected CIFAR-100's official files")
    return parts["train"], parts["test"]


def _contents(source: Path) -> Iterator[tuple[str, bytes]]:
    if os.path.isfile(source):
        yield from read_members(source, set(_NAMES), _MAX_BYTES)
        return
    for name in _NAMES:
        if os.path.isfile(source / name):
            yield name, read_file(source / name, _MAX_BYTES)


def _decode(name: str, data: bytes, source: Path, label_mode: str) -> Part:
    """Return (images (N, 32, 32, 3), labels (N, 1)) of one file."""
    try:
        pixels, labels = _python(data, label_mode)
    except ValueError as error:
        raise ValueError(f"{source}: {name} is not a file of CIFAR-100: {error}") from None
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels.reshape(-1, 1)


def _python(data: bytes, label_mode: str) -> Part:
    content = _pickle.loads(data)
    if not isinstance(content, dict):
        raise ValueError(f"the pickle holds a {type(content).__name__}, expected a dict")
    key = f"{label_mode}_labels"
    pixels = content.get(b"data", content.get("data"))
    labels = content.get(key.encode(), content.get(key))
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        raise ValueError("'data' must be an array of uint8")
    if pixels.ndim != 2 or pixels.shape[1] != _PIXELS:
        raise ValueError(f"'data' must have shape (N, {_PIXELS}), got {pixels.shape}")
    most = _CLASSES[label_mode] - 1
    if not isinstance(labels, list) or not all(type(n) is int and 0 <= n <= most for n in labels):
        raise ValueError(f"'{key}' must be a list of integers from 0 to {most}")
    if len(labels) != len(pixels) or not 1 <= len(labels) <= _MAX_RECORDS:
        raise ValueError(f"it holds {len(pixels)} images and {len(labels)} labels")
    return pixels, np.array(labels, np.uint8)
