"""Files that the real Keras wrote; ``keras_files`` has the programs that made them."""

import functools
import gzip
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "keras_files"
NAMES = [
    f"{model}{ending}" for model in ("cnn", "keras2", "layers") for ending in (".h5", ".keras")
]


@functools.cache
def content(name):
    return gzip.decompress((FOLDER / f"{name}.gz").read_bytes())


def unpacked(folder, name):
    """The path of the file of this name, put into a folder."""
    path = Path(folder, name)
    path.write_bytes(content(name))
    return path


@functools.cache
def reference(name):
    """What Keras computed: x, y, predicted, evaluated, and the optimizer's arrays in order."""
    with np.load(FOLDER / f"{name.partition('.')[0]}.npz") as arrays:
        found = dict(arrays)
    count = sum(key.startswith("optimizer_") for key in found)
    return {**found, "optimizer": [found.pop(f"optimizer_{i}") for i in range(count)]}
