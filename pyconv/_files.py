"""Files that are there as a whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from pyconv._args import path_arg


def place(owner: str, filepath: Any) -> str:
    """Return the absolute path of a file to be written; OSError where it has no place."""
    path = os.path.abspath(path_arg(owner, "filepath", filepath))
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{owner}: there is no folder {folder}")
    if os.path.isdir(path):
        raise IsADirectoryError(f"{owner}: {path} is a folder; give the name of a file in it")
    return path


@contextlib.contextmanager
def replacing(path: str) -> Iterator[IO[bytes]]:
    """Give a file beside ``path`` to write to; once the block is through, it takes the place.

    A death in the middle leaves the old file, and so does an exception, which leaves nothing else.
    """
    folder = os.path.dirname(path)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_folder(folder)


def sync_folder(folder: str) -> None:
    """Have the names in a folder outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
