"""Keras 3's folders: what a ``.keras`` file has within, as files (``save(path, zipped=False)``)."""

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

from pyconv._files import sync_folder
from pyconv.formats import keras_archive
from pyconv.formats.stored import Stored

if TYPE_CHECKING:
    from pyconv.model import Sequential

_FILES = (keras_archive.CONFIG, keras_archive.METADATA, keras_archive.WEIGHTS)


def is_one(path: str) -> bool:
    """Whether a folder is one of Keras's."""
    return os.path.isfile(os.path.join(path, keras_archive.CONFIG))


def check(path: str) -> None:
    """Raise a FileExistsError where a folder has other files, which would be lost."""
    if os.path.isdir(path):
        others = sorted(set(os.listdir(path)) - {*_FILES, keras_archive.ASSETS})
        if others:
            raise FileExistsError(
                f"save: {path} is a folder with other files, {', '.join(others):.80}; give one "
                "that is new, or that holds a model"
            )


def write(path: str, model: "Sequential", include_optimizer: bool) -> None:
    """Write a model to a folder, which is there as a whole or as it was.

    It is made beside its place and renamed; a folder that is there already goes after that.
    """
    around = os.path.dirname(path)
    aside = tempfile.mkdtemp(dir=around, prefix=".", suffix=".tmp")
    old, new = os.path.join(aside, "old"), os.path.join(aside, "new")
    try:
        for name, data in keras_archive.parts(model, include_optimizer).items():
            place = os.path.join(new, *name.split("/"))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        sync_folder(new)
        if os.path.isdir(path):
            os.rename(path, old)
        try:
            os.rename(new, path)
        except OSError:
            if os.path.isdir(old):
                os.rename(old, path)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    sync_folder(around)


def read(path: str) -> Stored:
    """Return what a folder holds; ValueError where a file is missing or damaged."""
    places = {name: os.path.join(path, name) for name in _FILES}
    missing = [name for name, place in places.items() if not os.path.isfile(place)]
    if missing:
        raise ValueError(f"it is a folder without {', '.join(missing)}, so no whole model")
    for folder, _, names in os.walk(os.path.join(path, keras_archive.ASSETS)):
        for name in names:
            place = os.path.join(folder, name)
            places[os.path.relpath(place, path).replace(os.sep, "/")] = place
    found = {}
    for name, place in places.items():
        with open(place, "rb") as file:
            found[name] = file.read()
    return keras_archive.from_parts(found)
