"""Which format a file is of: by its ending where it is written, by its first bytes where read."""

import contextlib
from collections.abc import Collection, Iterator
from typing import IO, TYPE_CHECKING

from pyconv._files import replacing
from pyconv.formats import (
    hdf5_reader,
    hdf5_writer,
    keras_archive,
    keras_folder,
    keras_hdf5,
    keras_shards,
)
from pyconv.formats.stored import Stored

if TYPE_CHECKING:
    from pyconv.model import Sequential

_HDF5, _ZIP = hdf5_reader.SIGNATURE, b"PK\x03\x04"


def is_keras(path: str) -> bool:
    """Whether a file that is to be written is one of Keras, by its ending."""
    return path.lower().endswith((".h5", ".hdf5", ".keras"))


def save(model: "Sequential", path: str, include_optimizer: bool) -> None:
    """Write a whole model in the format of the path's ending."""
    with replacing(path) as file:
        if path.lower().endswith(".keras"):
            keras_archive.write(file, model, include_optimizer)
        else:
            tree = keras_hdf5.model_tree(model, include_optimizer)
            hdf5_writer.write(file, keras_hdf5.signed(tree))


def save_weights(model: "Sequential", path: str, skipped: Collection[int] = ()) -> None:
    """Write a model's weights in the format of the path's ending.

    Only ``.weights.h5`` can leave out layers, of the ids ``skipped``.
    """
    ending = path.lower()
    if ending.endswith(".keras"):
        save(model, path, include_optimizer=False)
        return
    tree = (
        keras_hdf5.variables_tree(model, include_optimizer=False, skipped=skipped)
        if ending.endswith(".weights.h5")
        else keras_hdf5.weights_tree(model)
    )
    with replacing(path) as file:
        hdf5_writer.write(file, keras_hdf5.signed(tree))


def read(owner: str, path: str) -> Stored | None:
    """Return what a file of Keras's holds, None where it is of another kind.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    if keras_folder.is_one(path):
        with _damage(owner, path):
            return keras_folder.read(path)
    if path.lower().endswith(".json"):
        with _damage(owner, path):
            return keras_shards.read(path)
    with open(path, "rb") as file:
        start = file.read(8)
        file.seek(0)
        if start.startswith(_HDF5):
            with _damage(owner, path):
                return keras_hdf5.stored(hdf5_reader.read(file))
        if start.startswith(_ZIP):
            with _damage(owner, path):
                return keras_archive.read(file)
    return None


def read_archive(owner: str, file: IO[bytes]) -> Stored:
    """Return what an open file of the format of ``.keras`` holds.

    Raises:
        ValueError: it is damaged.
    """
    with _damage(owner, "the open file"):
        return keras_archive.read(file)


@contextlib.contextmanager
def _damage(owner: str, path: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, IndexError, OverflowError, RecursionError, TypeError) as error:
        raise ValueError(
            f"{owner}: {path} is damaged or no model file: {error or type(error).__name__}"
        ) from None
