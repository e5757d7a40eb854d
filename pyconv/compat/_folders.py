"""Folders in the place of files: what TensorFlow 2 wrote models into."""

import os
from typing import Any

from pyconv.formats import keras_folder

_NAME = "saved_model.safetensors"


def to_write(filepath: Any) -> Any:
    """Return the file that a model is written to; its folder is made, as Keras 2 does."""
    path = os.fsdecode(filepath)
    if path.endswith(os.sep) or os.path.isdir(path):
        path = os.path.join(path, _NAME)
        filepath = path
    if os.path.dirname(path) and not path.endswith(".keras"):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    return filepath


def to_read(filepath: Any) -> Any:
    """Return the file that a model is read from: of a folder the one that was written into it.

    Keras 3's folders are read as such.
    """
    if not isinstance(filepath, (str, bytes, os.PathLike)) or not os.path.isdir(filepath):
        return filepath
    if not keras_folder.is_one(os.fsdecode(filepath)):
        return os.path.join(os.fsdecode(filepath), _NAME)
    return filepath
