"""Downloads files of known size and SHA-256: resumed where they stopped, renamed when right."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pyconv.datasets._progress import progress

if TYPE_CHECKING:
    from http.client import HTTPResponse

CONNECT_SECONDS = 5.0
STALL_SECONDS = 30.0
_MAX_CONNECTIONS = 10
_BLOCK = 1 << 16


class DownloadError(OSError):
    """A download failed; the message says why."""


@dataclass(frozen=True)
class Remote:
    """A file to download, and where in a folder it belongs."""

    url: str
    size: int
    sha256: str
    file: str


def download(remote: Remote, folder: Path) -> None:
    """Put ``remote`` into ``folder``, going on from the ``.part`` file of an earlier try.

    Raises:
        DownloadError: no connection, not the file that was expected, or no room for it.
    """
    from http.client import HTTPException

    target = folder / remote.file
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(part) as file:
            if not os.path.isfile(target):  # else another process was first
                _fill(file, remote)
                os.replace(part, target)
    except DownloadError:
        raise
    except (OSError, HTTPException) as error:
        raise DownloadError(_reason(error)) from error


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """Open ``path`` for reading and writing, after any other process that has it open so.

    An empty file is removed at the end.
    """
    with _open_locked(path) as file:
        try:
            yield file
        finally:
            if file.seek(0, os.SEEK_END) == 0:
                path.unlink(missing_ok=True)


def _open_locked(path: Path) -> BinaryIO:
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
        # Some file systems have no locks. The checksum then still keeps out a mixed-up file.
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        # The process that had the lock may have renamed or removed what was opened here.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        file.close()


def _fill(file: BinaryIO, remote: Remote) -> None:
    resumed = file.seek(0, os.SEEK_END) > 0
    _receive(file, remote)
    found = _sha256(file)
    if found != remote.sha256 and resumed:
        file.truncate(0)
        _receive(file, remote)
        found = _sha256(file)
    if found != remote.sha256:
        file.truncate(0)
        raise DownloadError(f"SHA-256 is {found}, expected {remote.sha256}")
    os.fsync(file.fileno())


def _receive(file: BinaryIO, remote: Remote) -> None:
    """Append to ``file`` until it has ``remote.size`` bytes, reconnecting after each cut."""
    error: Exception | None = None
    for _ in range(_MAX_CONNECTIONS):
        have = file.seek(0, os.SEEK_END)
        if have == remote.size:
            return
        response, start = _connect(remote, have)
        file.truncate(start)
        file.seek(start)
        with response, progress(f"Downloading {remote.url}", remote.size, start) as show:
            error = _copy(response, file, remote.size, show)
        if file.tell() == start:
            break
    if file.tell() != remote.size:
        cut = f"the connection was cut at {file.tell()} of {remote.size} bytes"
        raise DownloadError(f"{cut} ({_reason(error)})" if error else cut)


def _copy(
    response: "HTTPResponse", file: BinaryIO, size: int, show: Callable[[int], None]
) -> Exception | None:
    """Append what ``response`` has, up to ``size`` bytes; returns the error that stopped it."""
    from http.client import HTTPException

    while (have := file.tell()) < size:
        try:
            block = response.read(min(_BLOCK, size - have))
        except (OSError, HTTPException) as error:
            return error
        if not block:
            break
        file.write(block)
        show(file.tell())
    return None


def _connect(remote: Remote, have: int) -> tuple["HTTPResponse", int]:
    """Ask for the bytes from ``have`` on; returns the answer and where it starts."""
    from urllib.error import HTTPError

    try:
        response = _open(remote.url, have)
    except HTTPError as error:
        error.close()
        if error.code != 416 or have == 0:  # 416: no such range
            raise
        response = _open(remote.url, 0)
    start = have if response.status == 206 else 0
    content_range = response.headers.get("Content-Range", "")
    length = response.headers.get("Content-Length")
    problem = ""
    if response.status == 206 and not content_range.startswith(f"bytes {have}-"):
        problem = f"the server answered with {content_range!r}, not with the bytes from {have} on"
    elif length is not None and length != str(remote.size - start):
        problem = (
            f"the server offers {length} bytes, expected {remote.size - start}; "
            "is this network behind a login page?"
        )
    if problem:
        response.close()
        raise DownloadError(problem)
    return response, start


def _open(url: str, start: int) -> "HTTPResponse":
    """Open ``url`` within CONNECT_SECONDS in all.

    A socket's timeout covers neither looking up the name nor trying several addresses.
    """
    import queue
    import threading
    from urllib.request import Request, urlopen

    headers = {"User-Agent": "pyconv"}
    if start:
        headers["Range"] = f"bytes={start}-"
    answers: queue.SimpleQueue[HTTPResponse | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(urlopen(Request(url, headers=headers), timeout=STALL_SECONDS))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        answer = answers.get(timeout=CONNECT_SECONDS)
    except queue.Empty:
        raise DownloadError(f"no answer within {CONNECT_SECONDS:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _sha256(file: BinaryIO) -> str:
    import hashlib

    digest = hashlib.sha256()
    file.seek(0)
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)  # urllib's URLError wraps the error that matters
    if isinstance(reason, OSError):
        return str(reason)
    return str(error) or type(error).__name__
