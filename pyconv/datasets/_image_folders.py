"""A data set as image files: train/ and test/, each with a folder for every class."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Part = tuple[UInt8, UInt8]

PARTS = ("train", "test")
_SUFFIXES = (".jpeg", ".jpg", ".png")
_MAX_IMAGES = 1_000_000


def complete(place: Path, class_names: Sequence[str]) -> bool:
    """Whether a folder has both parts with all classes."""
    return all(os.path.isdir(place / part / name) for part in PARTS for name in class_names)


def read(place: Path, class_names: Sequence[str], size: tuple[int, int]) -> tuple[Part, Part]:
    """Return ((x_train, y_train), (x_test, y_test)): images (N, H, W, 3), labels (N, 1).

    The images of a part come in one order that mixes the classes, so that the first ones, which
    the course validates on, hold all of them.

    Args:
        place: the folder.
        class_names: the folders of the classes, in their order.
        size: (height, width) of every image.

    Raises:
        ImportError: there is no Pillow.
        ValueError: a file is no image or has another size, or a part has none or too many.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(f"{place}: images in files need Pillow: pip install pillow") from None
    train, test = (_part(Image, place / part, class_names, size) for part in PARTS)
    return train, test


def _part(pillow: Any, folder: Path, class_names: Sequence[str], size: tuple[int, int]) -> Part:
    files = [
        (folder / name / file, label)
        for label, name in enumerate(class_names)
        for file in sorted(os.listdir(folder / name))
        if file.lower().endswith(_SUFFIXES)
    ]
    if not 1 <= len(files) <= _MAX_IMAGES:
        raise ValueError(f"{folder}: holds {len(files)} images, expected 1 to {_MAX_IMAGES:,}")
    order = np.random.default_rng(0).permutation(len(files))
    images = np.empty((len(files), *size, 3), np.uint8)
    labels = np.empty((len(files), 1), np.uint8)
    for row, place in enumerate(order):
        path, labels[row] = files[place]
        images[row] = _pixels(pillow, path, size)
    return images, labels


def _pixels(pillow: Any, path: Path, size: tuple[int, int]) -> UInt8:
    try:
        with pillow.open(path) as image:
            if image.size == size[::-1]:
                return np.asarray(image.convert("RGB"))
            got = image.size
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        # SyntaxError is what Pillow raises for some broken files.
        raise ValueError(f"{path}: not an image, or a damaged one ({error})") from None
    raise ValueError(f"{path}: has {got[0]}x{got[1]} pixels, expected {size[1]}x{size[0]}")
