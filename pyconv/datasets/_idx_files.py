"""Fashion-MNIST's files: four IDX files, gzipped or plain, in a folder.

The format is described at http://yann.lecun.com/exdb/mnist/: a magic number of two zero bytes,
the type (8: uint8) and the number of dimensions, then each dimension in 4 bytes, big-endian.
"""

import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyconv.datasets._download import Remote
from pyconv.datasets._files import read_file
from pyconv.datasets._search import Catalog

UInt8 = NDArray[np.uint8]
Part = tuple[UInt8, UInt8]

_UINT8 = 8
_MAX_IMAGES = 60_000
_SIZE = (28, 28)

_TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
_TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_FOLDERS = (".", "fashion-mnist", "fashion_mnist", "FashionMNIST/raw", "raw", "data/fashion")
_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"


def candidates(place: Path) -> Iterator[Path]:
    """Yield the folders at ``place`` that may be Fashion-MNIST."""
    for name in _FOLDERS:
        if len(missing(place / name)) < len((*_TRAIN, *_TEST)):
            yield place / name


def missing(source: Path) -> list[str]:
    """Return the files that the folder ``source`` lacks."""
    return [f"{name}.gz" for name in (*_TRAIN, *_TEST) if _file(source, name) is None]


def _file(folder: Path, name: str) -> Path | None:
    for path in (folder / f"{name}.gz", folder / name):
        if os.path.isfile(path):
            return path
    return None


def _remote(name: str, size: int, sha256: str) -> Remote:
    file = f"{name}.gz"
    return Remote(f"{_URL}/{file}", size, sha256, f"fashion-mnist/{file}")


CATALOG = Catalog(
    name="fashion_mnist",
    title="Fashion-MNIST",
    contents=f"{_TRAIN[0]}.gz and its three companions, gzipped or not",
    candidates=candidates,
    missing=missing,
    remotes=(
        _remote(
            _TRAIN[0],
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        _remote(
            _TRAIN[1],
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        _remote(
            _TEST[0],
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        _remote(
            _TEST[1],
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    # Where Debian's package dataset-fashion-mnist puts them.
    system_folders=(Path("/usr/share/datasets/fashion-mnist"),),
)


def read(source: Path) -> tuple[Part, Part]:
    """Return ((x_train, y_train), (x_test, y_test)) of the folder ``source``."""
    if lacks := missing(source):
        raise ValueError(f"{source}: lacks {', '.join(lacks)}")
    return _part(source, *_TRAIN), _part(source, *_TEST)


def _part(source: Path, images_name: str, labels_name: str) -> Part:
    images = _read_idx(source, images_name, _SIZE)
    labels = _read_idx(source, labels_name, ())
    if len(images) != len(labels):
        raise ValueError(
            f"{source}: {images_name} has {len(images)} images, but {labels_name} has "
            f"{len(labels)} labels"
        )
    if labels.max() > 9:
        raise ValueError(
            f"{source}: {labels_name}: a label is {labels.max()}, expected 0 to 9; "
            "is this Fashion-MNIST?"
        )
    return images, labels


def _read_idx(source: Path, name: str, item_shape: tuple[int, ...]) -> UInt8:
    """Return the uint8 array (N, *item_shape) of one IDX file."""
    path = _file(source, name)
    assert path is not None  # the caller asked for what is missing
    header = struct.Struct(f">4B{1 + len(item_shape)}I")
    data = read_file(path, header.size + _MAX_IMAGES * math.prod(item_shape))
    if len(data) < header.size:
        raise ValueError(f"{path}: truncated: {len(data)} bytes, the header alone is {header.size}")
    magic, (count, *item) = header.unpack_from(data)[:4], header.unpack_from(data)[4:]
    if magic != (0, 0, _UINT8, 1 + len(item_shape)):
        raise ValueError(
            f"{path}: not an IDX file of uint8 with {1 + len(item_shape)} dimensions: it starts "
            f"with the bytes {magic}"
        )
    if tuple(item) != item_shape or not 1 <= count <= _MAX_IMAGES:
        raise ValueError(
            f"{path}: holds an array of shape {(count, *item)}, expected "
            f"{('N', *item_shape)} with N from 1 to {_MAX_IMAGES}"
        )
    array = np.frombuffer(data, np.uint8, offset=header.size)
    if array.size != count * math.prod(item_shape):
        raise ValueError(
            f"{path}: {array.size} bytes of data, expected {count * math.prod(item_shape)}; "
            "the file is truncated or damaged"
        )
    items: UInt8 = array.reshape(count, *item_shape).copy()
    return items
