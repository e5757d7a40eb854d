"""``pyconv predict``."""

import argparse
import sys
from typing import Any

import numpy as np

from pyconv import models
from pyconv._types import Array
from pyconv.cli._record import read_record
from pyconv.datasets._load import scaled


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
    failed = False
    for path in arguments.images:
        try:
            pixels = _pixels(Image, path, shape[1:])
        except (Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
            # SyntaxError is what Pillow raises for some broken files.
            reason = getattr(error, "strerror", None) or error
            print(f"pyconv predict: {path}: {reason}", file=sys.stderr)
            failed = True
            continue
        scores = model.predict(pixels, verbose=0)[0]
        best = np.argsort(-scores, kind="stable")[: arguments.top]
        print(f"{path}: " + ", ".join(f"{names[i]} {scores[i]:.1%}" for i in best))
    return int(failed)


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
