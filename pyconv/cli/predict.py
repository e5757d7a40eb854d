"""``pyconv predict``."""

import argparse
import csv
import io
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyconv import _files, models
from pyconv._types import Array
from pyconv.cli._record import read_record
from pyconv.datasets._load import scaled
from pyconv.preprocessing._directory import SUFFIXES
from pyconv.utils import decode_top_k


def run(arguments: argparse.Namespace) -> int:
    """Print the most likely classes of images; 1 where one of them could not be read."""
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("images need Pillow: pip install pillow") from None
    model = models.load_model(arguments.model, compile=False)
    shape, outputs = tuple(model.input_shape), tuple(model.output_shape)
    if len(shape) != 4 or shape[3] not in (1, 3) or None in shape[1:] or len(outputs) != 2:
        raise ValueError(
            f"{arguments.model} must map images (None, H, W, 1 or 3) to classes (None, N), it maps "
            f"{shape} to {outputs}"
        )
    names = _class_names(arguments.model, int(outputs[1] or 0))
    place = None
    if arguments.submission is not None:
        place = _files.place("--submission", arguments.submission)
    labels: list[tuple[str, str]] = []
    failed = False
    for path in _images(arguments.images):
        try:
            pixels = _pixels(Image, path, shape[1:])
        except (Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
            # SyntaxError is what Pillow raises for some broken files.
            reason = getattr(error, "strerror", None) or error
            if os.path.isdir(path):
                reason = "a folder that holds no images"
            print(f"pyconv predict: {path}: {reason}", file=sys.stderr)
            failed = True
            continue
        top = min(arguments.top, len(names))
        (best,) = decode_top_k(model.predict(pixels, verbose=0), names, top)
        if place is None:
            print(f"{path}: " + ", ".join(f"{name} {score:.1%}" for name, score in best))
        else:
            labels.append((os.path.splitext(os.path.basename(path))[0], best[0][0]))
    if place is not None:
        _write(place, labels)
        print(f"{len(labels):,} labels in {arguments.submission}")
    return int(failed)


def _images(paths: list[str]) -> Iterator[str]:
    """Yield the files, and those of each folder, in the order of the numbers in their names."""
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        found = [name for name in os.listdir(path) if name.lower().endswith(SUFFIXES)]
        if not found:
            yield path  # is said to be a folder without images
        for name in sorted(found, key=_numbers_and_text):
            yield os.path.join(path, name)


def _numbers_and_text(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _write(path: str, labels: list[tuple[str, str]]) -> None:
    """Write the table that Kaggle's competition on CIFAR-10 takes."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("id", "label"), *labels])
    with _files.replacing(path) as file:
        file.write(text.getvalue().encode())


def _pixels(pillow: Any, path: str, shape: Any) -> Array:
    """Return an image file as (1, H, W, C) of 0 to 1, upright and resized."""
    from PIL import ImageOps

    height, width, channels = shape
    with pillow.open(path) as image:
        if image.mode[0] in "IF":
            raise ValueError(f"its pixels are of mode {image.mode}; convert it to 8 bits")
        upright = ImageOps.exif_transpose(image).convert("L" if channels == 1 else "RGB")
    resized = upright.resize((width, height))
    return scaled(np.asarray(resized).reshape(1, height, width, channels))


def _class_names(model: str, count: int) -> list[str]:
    record = read_record(model)
    if record and len(record.class_names) == count:
        return record.class_names
    return [f"class {i}" for i in range(count)]
