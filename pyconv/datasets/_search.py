"""Finds the files of a data set: in the path given, in the usual places, or by downloading them."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyconv.datasets._download import DownloadError, Remote, download


class DatasetNotFoundError(FileNotFoundError):
    """A data set is in none of the usual places and could not be downloaded.

    ``reason`` says why the download failed.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Catalog:
    """What there is to know about a data set before its files are read."""

    name: str  # of its module
    title: str
    contents: str  # what a folder of it holds, for messages
    candidates: Callable[[Path], Iterator[Path]]  # folders and archives at a place that may be it
    missing: Callable[[Path], list[str]]  # the files that such a folder lacks
    remotes: Sequence[Remote]
    system_folders: Sequence[Path] = ()

    @property
    def owner(self) -> str:
        """The function that errors name."""
        return f"{self.name}.load_data"


def locate(catalog: Catalog, path: object = None) -> Path:
    """Return the folder or archive to read, downloading it where it is nowhere.

    Raises:
        TypeError: ``path`` is no path.
        FileNotFoundError: the data set is not at ``path``, or not to be had at all.
    """
    if path is not None:
        return _at_path(catalog, path_arg(catalog.owner, path))
    looked: list[str] = []
    found = find(catalog, looked)
    if found is not None:
        return found
    cache = _cache_folder()
    remote = catalog.remotes[0]
    try:
        if cache is None:
            raise DownloadError("there is no home folder to put it in; set XDG_CACHE_HOME")
        for remote in catalog.remotes:
            if not os.path.isfile(cache / remote.file):
                download(remote, cache)
    except DownloadError as error:
        urls = " and ".join(remote.url for remote in catalog.remotes)
        raise DatasetNotFoundError(
            f"{catalog.owner}: {catalog.title} was not found.\n"
            f"Looked in:{''.join(looked)}\n"
            f"Downloading {remote.url} failed: {error}\n"
            f"To go on: get {urls} on a machine with a network, and pass where you put it, "
            f"{catalog.owner}(path=...), or set PYCONV_DATA to its folder. "
            "pyconv.datasets.shapes10 needs no files.",
            reason=str(error),
        ) from None
    found, lacks = _at(catalog, cache)
    assert found is not None
    assert not lacks
    return found


def find(catalog: Catalog, looked: list[str] | None = None) -> Path | None:
    """Return the folder or archive in one of the usual places, None where there is none.

    Args:
        catalog: the data set.
        looked: takes a line about each place that was in vain.
    """
    for label, folder in _places(catalog):
        found, lacks = _at(catalog, folder) if folder else (None, [])
        if found and not lacks:
            return found
        if looked is not None:
            note = f" (incomplete: {found} lacks {', '.join(lacks)})" if found else ""
            looked.append(f"\n  {label}: {folder or 'not set'}{note}")
    return None


def _at_path(catalog: Catalog, place: Path) -> Path:
    found, _ = _at(catalog, place)
    if found is not None:
        return found
    what = "does not exist"
    if os.path.isdir(place):
        what = f"holds no {catalog.title}; expected {catalog.contents}"
    elif os.path.exists(place):
        what = f"is no folder; expected {catalog.contents}"
    raise FileNotFoundError(f"{catalog.owner}: path {str(place)!r} {what}")


def _at(catalog: Catalog, place: Path) -> tuple[Path | None, list[str]]:
    """Return the most complete folder or archive at ``place``, and the files that it lacks."""
    found = [(source, catalog.missing(source)) for source in catalog.candidates(place)]
    return min(found, key=lambda pair: len(pair[1]), default=(None, []))


def path_arg(owner: str, path: object) -> Path:
    """Return the argument ``path`` as a Path, ``~`` expanded."""
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str):
        raise TypeError(f"{owner}: path must be a string or a path, got {type(path).__name__}")
    if not text or "\0" in text:
        raise ValueError(f"{owner}: path must name a file or a folder, got {text!r}")
    return _expanded(text)


def _places(catalog: Catalog) -> list[tuple[str, Path | None]]:
    variable = os.environ.get("PYCONV_DATA")
    return [
        ("environment variable PYCONV_DATA", _expanded(variable) if variable else None),
        ("cache", _cache_folder()),
        ("Keras's cache", _keras_folder()),
        *(("system", folder) for folder in catalog.system_folders),
    ]


def _expanded(text: str) -> Path:
    return Path(os.path.expanduser(text))  # Path.expanduser raises where there is no home


def _home() -> Path | None:
    """The user's home folder, or None where the system knows none."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _cache_folder() -> Path | None:
    """Where downloads go: ``$XDG_CACHE_HOME/pyconv``, by default ``~/.cache/pyconv``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the XDG specification: ignore relative ones
        return Path(base) / "pyconv"
    folder = _home()
    return folder / ".cache" / "pyconv" if folder else None


def _keras_folder() -> Path | None:
    """Where Keras keeps what it downloads."""
    base = os.environ.get("KERAS_HOME", "")
    if base:
        return _expanded(base) / "datasets"
    folder = _home()
    return folder / ".keras" / "datasets" if folder else None
