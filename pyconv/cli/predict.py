"""``pyconv predict``."""

import argparse
import json
import os

import numpy as np

from pyconv import models


def run(arguments: argparse.Namespace) -> int:
    """Print the most likely classes of images."""
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("images need Pillow: pip install 'pyconv[image]'") from None
    model = models.load_model(arguments.model, compile=False)
    shape = model.input_shape
    height, width, channels = (int(size or 0) for size in shape[1:])
    names = _class_names(arguments.model, int(model.output_shape[-1] or 0))
    for path in arguments.images:
        with Image.open(path) as image:
            resized = image.convert("L" if channels == 1 else "RGB").resize((width, height))
            pixels = np.asarray(resized, np.float32).reshape(1, height, width, channels) / 255
        scores = model.predict(pixels, verbose=0)[0]
        best = np.argsort(-scores)[: arguments.top]
        print(f"{path}: " + ", ".join(f"{names[i]} {scores[i]:.1%}" for i in best))
    return 0


def _class_names(model: str, count: int) -> list[str]:
    path = os.path.join(os.path.dirname(model), "classes.json")
    if os.path.exists(path):
        with open(path) as file:
            names: list[str] = json.load(file)
        if len(names) == count:
            return names
    return [f"class {i}" for i in range(count)]
