"""CIFAR-10's files: the official layouts, in a folder or a tar archive, or a file for each image.

The official ones, binary and python, are described at https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyconv.datasets import _image_folders, _pickle
from pyconv.datasets._download import Remote
from pyconv.datasets._files import read_file, read_members
from pyconv.datasets._search import Catalog

UInt8 = NDArray[np.uint8]
Part = tuple[UInt8, UInt8]

CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

_PIXELS = 3 * 32 * 32
_RECORD = 1 + _PIXELS
_MAX_RECORDS = 10_000
# A pickle of 10,000 images: 31 MB, or 1.5 times that where Python 3 wrote it for Python 2.
_MAX_BYTES = 1 << 26

_PYTHON = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
_BINARY = tuple(f"{name}.bin" for name in _PYTHON)
_LAYOUTS = (_BINARY, _PYTHON)

_FOLDERS = (
    ".",
    "cifar-10-batches-bin",
    "cifar-10-batches-py",
    "cifar-10-batches-py/cifar-10-batches-py",
    "cifar-10-batches-py-target/cifar-10-batches-py",
)
_IMAGE_FOLDERS = (".", "cifar10")
_ARCHIVES = (
    "cifar-10-binary.tar.gz",
    "cifar-10-binary.tar",
    "cifar-10-python.tar.gz",
    "cifar-10-python.tar",
    "cifar-10-batches-py.tar.gz",
    "cifar-10-batches-py_archive",
    "cifar-10-batches-py-target_archive",
)


def candidates(place: Path) -> Iterator[Path]:
    """Yield ``place`` if it is a file, else the folders and archives in it that may be CIFAR-10."""
    if os.path.isfile(place):
        yield place
        return
    for name in _FOLDERS:
        if len(missing(place / name)) < len(_BINARY):
            yield place / name
    for name in _ARCHIVES:
        if os.path.isfile(place / name):
            yield place / name
    for name in _IMAGE_FOLDERS:
        if _image_folders.complete(place / name, CLASS_NAMES):
            yield place / name


def missing(source: Path) -> list[str]:
    """Return the batches that the folder ``source`` lacks; of an archive or of images, none."""
    if os.path.isfile(source) or _image_folders.complete(source, CLASS_NAMES):
        return []
    return _best_layout(lambda name: os.path.isfile(source / name))[1]


def _best_layout(has: Callable[[str], bool]) -> tuple[tuple[str, ...], list[str]]:
    """Return the layout that is the more complete one, and the files that it lacks."""
    layouts = [(layout, [name for name in layout if not has(name)]) for layout in _LAYOUTS]
    return min(layouts, key=lambda pair: len(pair[1]))


CATALOG = Catalog(
    name="cifar10",
    title="CIFAR-10",
    contents="cifar-10-batches-bin/, cifar-10-batches-py/, their files, an official .tar.gz, or "
    "train/ and test/ with a folder of images for each class",
    candidates=candidates,
    missing=missing,
    remotes=(
        Remote(
            url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            size=170_052_171,
            sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            file="cifar-10-binary.tar.gz",
        ),
    ),
)


def read(source: Path) -> tuple[Part, Part]:
    """Return ((x_train, y_train), (x_test, y_test)) of the folder or archive ``source``."""
    if _image_folders.complete(source, CLASS_NAMES):
        return _image_folders.read(source, CLASS_NAMES, (32, 32))
    batches = {name: _decode(name, data, source) for name, data in _contents(source)}
    layout, lacks = _best_layout(lambda name: name in batches)
    if lacks:
        hint = "" if batches else "; expected CIFAR-10's official folder or archive"
        raise ValueError(f"{source}: lacks {', '.join(lacks)}{hint}")
    train = [batches[name] for name in layout[:-1]]
    x_train = np.concatenate([x for x, _ in train])
    y_train = np.concatenate([y for _, y in train])
    return (x_train, y_train), batches[layout[-1]]


def _contents(source: Path) -> Iterator[tuple[str, bytes]]:
    if os.path.isfile(source):
        yield from read_members(source, {*_BINARY, *_PYTHON}, _MAX_BYTES)
        return
    for name in (*_BINARY, *_PYTHON):
        if os.path.isfile(source / name):
            yield name, read_file(source / name, _MAX_BYTES)


def _decode(name: str, data: bytes, source: Path) -> Part:
    """Return (images (N, 32, 32, 3), labels (N, 1)) of one batch."""
    try:
        pixels, labels = _binary(data) if name in _BINARY else _python(data)
        if not 1 <= len(labels) <= _MAX_RECORDS:
            raise ValueError(f"it holds {len(labels)} images, expected 1 to {_MAX_RECORDS}")
        if labels.max() > 9:
            raise ValueError(f"a label is {labels.max()}, expected 0 to 9; is this CIFAR-10?")
    except ValueError as error:
        raise ValueError(f"{source}: {name} is not a batch of CIFAR-10: {error}") from None
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels.reshape(-1, 1).copy()


def _binary(data: bytes) -> Part:
    if len(data) % _RECORD:
        raise ValueError(
            f"its {len(data)} bytes are no whole number of records of {_RECORD} bytes; "
            "it is truncated, or another kind of file"
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, _RECORD)
    return records[:, 1:], records[:, 0]


def _python(data: bytes) -> Part:
    batch = _pickle.loads(data)
    if not isinstance(batch, dict):
        raise ValueError(f"the pickle holds a {type(batch).__name__}, expected a dict")
    pixels = batch.get(b"data", batch.get("data"))
    labels = batch.get(b"labels", batch.get("labels"))
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        raise ValueError("'data' must be an array of uint8")
    if pixels.ndim != 2 or pixels.shape[1] != _PIXELS:
        raise ValueError(f"'data' must have shape (N, {_PIXELS}), got {pixels.shape}")
    if not isinstance(labels, list) or not all(type(n) is int and 0 <= n < 256 for n in labels):
        raise ValueError("'labels' must be a list of integers from 0 to 9")
    if len(labels) != len(pixels):
        raise ValueError(f"it holds {len(pixels)} images and {len(labels)} labels")
    return pixels, np.array(labels, np.uint8)
