"""Reads bounded amounts of bytes from files, folders and tar archives that nobody vouches for."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

_MAX_ARCHIVE_BYTES = 1 << 29  # unpacked; CIFAR-10 is 184 MB


def read_file(path: Path, max_bytes: int) -> bytes:
    """Return the contents of ``path``, gunzipped where it is a gzip file.

    Raises:
        ValueError: it has more than ``max_bytes``, or the gzip file is damaged.
    """
    with _opened(path) as stream:
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ValueError(f"{path}: has more than the {max_bytes} bytes that the data set needs")
    return data


def read_members(path: Path, names: Collection[str], max_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, contents) of the regular files in the tar or tar.gz archive ``path``
    whose name without folders is one of ``names``. Nothing is extracted to the disk.

    Raises:
        ValueError: it is no tar archive, is damaged, or a file has more than ``max_bytes``.
    """
    import tarfile

    seen = set()
    with _opened(path) as stream:
        capped: Any = _Capped(stream, path)
        try:
            # "r|" only reads on, so that the cap holds for all that tarfile takes in.
            with tarfile.open(fileobj=capped, mode="r|", bufsize=1 << 20) as archive:
                for member in archive:
                    name = member.name.rpartition("/")[2]
                    if name not in names or not member.isreg():
                        continue
                    if name in seen:
                        raise ValueError(f"{path}: holds {name} twice")
                    if not 0 <= member.size <= max_bytes:
                        raise ValueError(
                            f"{path}: {name} has {member.size} bytes, at most {max_bytes} expected"
                        )
                    seen.add(name)
                    file = archive.extractfile(member)
                    assert file is not None  # it is a regular file
                    yield name, file.read()
        except tarfile.TarError as error:
            raise ValueError(f"{path}: not a tar archive, or a damaged one ({error})") from None


class _Capped:
    """A stream that ends in an error rather than give on all that a crafted archive unpacks to."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._left = _MAX_ARCHIVE_BYTES

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"{self._path}: unpacks to more than {_MAX_ARCHIVE_BYTES} bytes")
        return data


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open ``path`` for reading, through gzip where it starts as a gzip file does."""
    import gzip
    import zlib

    stream: Any
    with open(path, "rb") as file:
        magic = file.read(2)
        file.seek(0)
        stream = gzip.GzipFile(fileobj=file) if magic == b"\x1f\x8b" else file
        try:
            yield stream
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path}: damaged gzip file ({error})") from None
