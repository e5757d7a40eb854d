"""Keras's ``get_file``: downloads a file into a folder, and unpacks it there."""

import contextlib
import hashlib
import os
import shutil
import tarfile
import tempfile
import urllib.request
import zipfile
from typing import Any
from urllib.parse import urlsplit

from pyconv._args import path_arg
from pyconv._files import replacing
from pyconv._messages import say
from pyconv.compat import _era

_BLOCK = 1 << 16
_STALL_SECONDS = 30.0


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: Any = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """Download a file, unless it is there already; return its path, or that of what it holds.

    Unpacked files are in the folder that is returned, as in Keras 3. For programs of Keras 2 and
    TensorFlow they are beside the archive, whose path is returned; that of ``untar`` without its
    ``.tar.gz``.

    Args:
        fname: name of the file; None for that in ``origin``.
        origin: its URL.
        untar: whether it is an archive of tar that is unpacked; ``extract`` is for all kinds.
        md5_hash: its MD5, in hexadecimal digits; use ``file_hash``.
        file_hash: its SHA-256 or MD5; None for any file.
        cache_subdir: folder of the file, below ``cache_dir``.
        hash_algorithm: 'sha256', 'md5', or 'auto' by the number of digits.
        extract: whether it is unpacked.
        archive_format: 'tar', 'zip', a list of these, or 'auto' for both; None for neither.
        cache_dir: a folder; None for ``$KERAS_HOME`` or ``~/.keras``.
        force_download: whether a file that is there is downloaded again.

    Raises:
        OSError: it cannot be downloaded, or written.
        ValueError: there is no ``origin``, ``fname`` is no name, or the file is another than
            ``file_hash`` says.
        tarfile.TarError: an archive would write outside of its folder.

    Example:
        >>> import pathlib, tempfile, pyconv.compat.keras as keras
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.txt").write_text("of the network")
        >>> url = (folder / "a.txt").as_uri()
        >>> path = keras.utils.get_file("b.txt", url, cache_dir=folder)  # doctest: +ELLIPSIS
        Downloading data from file:///...a.txt
        >>> pathlib.Path(path).read_text()
        'of the network'
    """
    owner = "get_file"
    if origin is None:
        raise ValueError(f'{owner}: Please specify the "origin" argument (URL of the file)')
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    name = os.fspath(fname) if fname else os.path.basename(urlsplit(origin).path)
    if not name or os.path.basename(name) != name:
        raise ValueError(
            f"{owner}: fname must be the name of a file, got {name!r}; its folder is cache_subdir "
            "below cache_dir"
        )
    folder = os.path.join(_home(cache_dir), path_arg(owner, "cache_subdir", cache_subdir))
    os.makedirs(folder, exist_ok=True)
    archive, unpacked, result = _places(folder, name, bool(fname), untar, extract)
    if force_download or not _is_there(archive, file_hash, hash_algorithm):
        _download(origin, archive, file_hash, hash_algorithm)
    if unpacked is not None:
        extract_archive(archive, unpacked, "tar" if untar else archive_format)
    return result


def _home(given: Any) -> str:
    """Return the folder of all files, one that can be written to."""
    base = given or os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    home = os.path.expanduser(os.fspath(base))
    with contextlib.suppress(OSError):
        os.makedirs(home, exist_ok=True)
    return home if os.access(home, os.W_OK) else os.path.join(tempfile.gettempdir(), ".keras")


def _places(
    folder: str, name: str, named: bool, untar: bool, extract: bool
) -> tuple[str, str | None, str]:
    """Return where the download goes, where it is unpacked, and what is returned."""
    path = os.path.join(folder, name)
    if not (untar or extract):
        return path, None, path
    if not _era.is_keras3_by_choice():
        if not untar:
            return path, folder, path
        path = path.removesuffix(".tar.gz")
        return path + ".tar.gz", folder, path
    if named and "." in name:
        unpacked = os.path.join(folder, name[: name.index(".")] + "_extracted")
        return path, unpacked, unpacked
    return path + "_archive", path, path


def _is_there(path: str, file_hash: str | None, algorithm: str) -> bool:
    if not os.path.exists(path):
        return False
    if file_hash is None or validate_file(path, file_hash, algorithm):
        return True
    say(f"{path} is incomplete or outdated: its hash is not {file_hash}; it is downloaded again")
    return False


def _download(url: str, path: str, file_hash: str | None, algorithm: str) -> None:
    """Put what the URL has into a file, as a whole or not at all."""
    say(f"Downloading data from {url}")
    hasher = resolve_hasher(algorithm, file_hash)
    try:
        with (
            urllib.request.urlopen(url, timeout=_STALL_SECONDS) as response,
            replacing(path) as file,
        ):
            while block := response.read(_BLOCK):
                hasher.update(block)
                file.write(block)
            size = response.headers.get("Content-Length")
            if size is not None and file.tell() < int(size):
                raise OSError(f"the connection was cut at {file.tell()} of {size} bytes")
            if file_hash is not None and hasher.hexdigest() != file_hash:
                raise ValueError(
                    f"get_file: Incomplete or corrupted file detected: the hash of {url} is "
                    f"{hasher.hexdigest()}, not {file_hash}"
                )
    except OSError as error:
        raise OSError(f"get_file: URL fetch failure on {url}: {error}") from error


def resolve_hasher(algorithm: str, file_hash: str | None = None) -> Any:
    """Return a new hash of ``hashlib``; 'auto' is SHA-256 for 64 digits, else MD5.

    Example:
        >>> from pyconv.compat._get_file import resolve_hasher
        >>> resolve_hasher("auto", "0" * 64).name
        'sha256'
    """
    long = algorithm == "auto" and file_hash is not None and len(file_hash) == 64
    return hashlib.sha256() if algorithm == "sha256" or long else hashlib.md5()


def hash_file(fpath: Any, algorithm: Any = "sha256") -> str:
    """Return the hexadecimal digits of a file's hash.

    Args:
        fpath: path of the file.
        algorithm: 'sha256', 'md5', or a hash of ``hashlib``.

    Example:
        >>> import os, tempfile
        >>> from pyconv.compat._get_file import hash_file
        >>> path = os.path.join(tempfile.mkdtemp(), "empty")
        >>> open(path, "wb").close()
        >>> hash_file(path, "md5")
        'd41d8cd98f00b204e9800998ecf8427e'
    """
    hasher = resolve_hasher(algorithm) if isinstance(algorithm, str) else algorithm
    with open(fpath, "rb") as file:
        while block := file.read(_BLOCK):
            hasher.update(block)
    return str(hasher.hexdigest())


def validate_file(fpath: Any, file_hash: str, algorithm: str = "auto") -> bool:
    """Return whether a file has this hash; see ``get_file``.

    Example:
        >>> import os, tempfile
        >>> from pyconv.compat._get_file import validate_file
        >>> path = os.path.join(tempfile.mkdtemp(), "empty")
        >>> open(path, "wb").close()
        >>> validate_file(path, "d41d8cd98f00b204e9800998ecf8427e")
        True
    """
    return hash_file(fpath, resolve_hasher(algorithm, file_hash)) == file_hash


def extract_archive(file_path: Any, path: Any = ".", archive_format: Any = "auto") -> bool:
    """Unpack an archive into a folder; return whether it was one of a known kind.

    Args:
        file_path: path of the archive.
        path: the folder. It is removed where unpacking fails and it was not there before.
        archive_format: see ``get_file``.

    Raises:
        NotImplementedError: a format is not known.
        OSError: a file cannot be read or written.
        tarfile.TarError: a member would be written outside of the folder.

    Example:
        >>> import os, shutil, tempfile
        >>> from pyconv.compat._get_file import extract_archive
        >>> folder = tempfile.mkdtemp()
        >>> os.mkdir(os.path.join(folder, "a"))
        >>> archive = shutil.make_archive(os.path.join(folder, "a"), "zip", folder)
        >>> extract_archive(archive, os.path.join(folder, "b"))
        True
    """
    formats = ("tar", "zip") if archive_format == "auto" else archive_format or ()
    for kind in [formats] if isinstance(formats, str) else formats:
        if kind not in ("tar", "zip"):
            raise NotImplementedError(f"extract_archive: unknown archive_format {kind!r:.60}")
        if not (tarfile.is_tarfile if kind == "tar" else zipfile.is_zipfile)(file_path):
            continue
        new = not os.path.exists(path)
        try:
            if kind == "zip":
                with zipfile.ZipFile(file_path) as zipped:
                    zipped.extractall(path)  # cuts what would lead out of the folder
            else:
                with tarfile.open(file_path) as tarred:
                    _untar(tarred, os.fspath(path))
        except BaseException:
            if new:
                shutil.rmtree(path, ignore_errors=True)
            raise
        return True
    return False


def _untar(archive: tarfile.TarFile, path: str) -> None:
    if hasattr(tarfile, "data_filter"):
        archive.extractall(path, filter="data")
        return
    # Python before 3.10.12 and 3.11.4: files and folders within, no links.
    home = os.path.realpath(path)
    for member in archive:
        target = os.path.realpath(os.path.join(home, member.name))
        if os.path.commonpath([home, target]) != home or not (member.isfile() or member.isdir()):
            raise tarfile.ExtractError(f"extract_archive: {member.name!r} would lead out of {path}")
    archive.extractall(path)
