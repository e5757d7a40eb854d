"""Downloads from a server on this machine that behaves, cuts, lies or says nothing."""

import hashlib
import http.server
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from pyconv.datasets import _cifar_files, _download, _progress, _search
from pyconv.datasets._download import DownloadError, Remote, download

CONTENT = np.random.default_rng(0).integers(0, 256, 300_000, dtype=np.uint8).tobytes()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        content = server.contents[min(len(server.ranges), len(server.contents)) - 1]
        if server.hang:
            server.released.wait(20)
        if server.status:
            self.send_error(server.status)
            return
        start = 0
        if asked and server.ranged:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            shown = start + server.shift
            self.send_header("Content-Range", f"bytes {shown}-{len(content) - 1}/*")
        else:
            self.send_response(200)
        body = content[start:]
        if server.lengths:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.cut])
        if server.cut is not None and len(server.ranges) >= server.heals_after:
            server.cut = None


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A client that hangs up is what some tests are about."""


@pytest.fixture
def server():
    httpd = Server(("127.0.0.1", 0), Handler)
    httpd.contents, httpd.ranges = [CONTENT], []
    httpd.ranged, httpd.lengths, httpd.shift = True, True, 0
    httpd.cut, httpd.heals_after, httpd.status = None, 1000, None
    httpd.hang, httpd.released = False, threading.Event()
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield httpd
    httpd.released.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def remote(server):
    return Remote(
        url=f"http://127.0.0.1:{server.server_port}/file.tar.gz",
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        file="folder/file.tar.gz",
    )


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder/file.tar.gz"


@pytest.fixture
def part(target):
    return target.with_name("file.tar.gz.part")


def files(tmp_path):
    return sorted(path.name for path in tmp_path.rglob("*") if path.is_file())


def test_download(server, remote, target, tmp_path, capsys):
    download(remote, tmp_path)
    assert target.read_bytes() == CONTENT
    assert files(tmp_path) == ["file.tar.gz"]
    assert server.ranges == [None]
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"Downloading {remote.url}"
    assert lines[-1] == "  100 % of 0.3 MB"
    download(remote, tmp_path)
    assert server.ranges == [None]


def test_resumes_where_an_earlier_call_stopped(server, remote, target, part, tmp_path, capsys):
    part.parent.mkdir()
    part.write_bytes(CONTENT[:200_000])
    download(remote, tmp_path)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["bytes=200000-"]
    assert "going on from 0.2 MB" in capsys.readouterr().err
    assert files(tmp_path) == ["file.tar.gz"]


def test_resumes_after_cuts_within_a_call(server, remote, target, tmp_path):
    server.cut, server.heals_after = 70_000, 3
    download(remote, tmp_path)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=70000-", "bytes=140000-", "bytes=210000-"]


def test_server_without_ranges_or_lengths(server, remote, target, part, tmp_path):
    server.ranged = server.lengths = False
    part.parent.mkdir()
    part.write_bytes(b"x" * 1000)
    download(remote, tmp_path)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("length", [1000, len(CONTENT), len(CONTENT) + 5])
def test_part_of_something_else_is_replaced(length, remote, target, part, tmp_path):
    part.parent.mkdir()
    part.write_bytes(b"x" * length)
    download(remote, tmp_path)
    assert target.read_bytes() == CONTENT


def test_complete_part_is_only_checked(server, remote, target, part, tmp_path):
    part.parent.mkdir()
    part.write_bytes(CONTENT)
    download(remote, tmp_path)
    assert target.read_bytes() == CONTENT
    assert server.ranges == []


def test_connection_that_is_always_cut_keeps_what_came(server, remote, target, part, tmp_path):
    server.cut = 1000
    with pytest.raises(DownloadError, match="cut at 10000 of 300000 bytes"):
        download(remote, tmp_path)
    assert part.read_bytes() == CONTENT[:10_000]
    assert not target.exists()
    server.cut = 0
    with pytest.raises(DownloadError, match="cut at 10000 of 300000 bytes"):
        download(remote, tmp_path)
    assert len(server.ranges) == 11
    server.cut = None
    download(remote, tmp_path)
    assert target.read_bytes() == CONTENT


def test_wrong_checksum_leaves_nothing(server, remote, tmp_path):
    server.contents = [CONTENT[:-1] + b"?"]
    found = hashlib.sha256(server.contents[0]).hexdigest()
    with pytest.raises(DownloadError, match=f"SHA-256 is {found}, expected {remote.sha256}"):
        download(remote, tmp_path)
    assert files(tmp_path) == []


@pytest.mark.parametrize("content", [b"<html>Please log in</html>", CONTENT + b"more"])
def test_file_of_another_size(content, server, remote, tmp_path):
    server.contents = [content]
    with pytest.raises(DownloadError, match=f"offers {len(content)} bytes, expected 300000"):
        download(remote, tmp_path)
    assert files(tmp_path) == []


def test_never_writes_more_than_expected(server, remote, tmp_path):
    server.contents, server.lengths = [CONTENT * 20], False
    download(remote, tmp_path)
    assert files(tmp_path) == ["file.tar.gz"]


def test_part_beyond_the_servers_file(server, remote, part, tmp_path):
    part.parent.mkdir()
    part.write_bytes(CONTENT[:1000])
    server.contents = [b"short"]
    with pytest.raises(DownloadError, match="offers 5 bytes, expected 300000"):
        download(remote, tmp_path)
    assert server.ranges == ["bytes=1000-", None]


def test_answer_with_another_range(server, remote, part, tmp_path):
    server.shift = 1
    part.parent.mkdir()
    part.write_bytes(CONTENT[:1000])
    with pytest.raises(DownloadError, match=r"answered with 'bytes 1001-299999/.*from 1000 on"):
        download(remote, tmp_path)
    assert part.read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize("status", [403, 404, 500])
def test_error_status(status, server, remote, tmp_path):
    server.status = status
    with pytest.raises(DownloadError, match=f"HTTP Error {status}"):
        download(remote, tmp_path)
    assert files(tmp_path) == []


def test_no_connection(server, remote, tmp_path):
    closed = replace(remote, url="http://127.0.0.1:1/file")
    with pytest.raises(DownloadError, match="Connection refused"):
        download(closed, tmp_path)
    unknown = replace(remote, url="http://no-such-host.invalid/file")
    with pytest.raises(DownloadError):
        download(unknown, tmp_path)
    assert files(tmp_path) == []


def test_server_that_says_nothing(server, remote, tmp_path, monkeypatch):
    assert _download.CONNECT_SECONDS == 5
    monkeypatch.setattr(_download, "CONNECT_SECONDS", 0.2)
    server.hang = True
    start = time.perf_counter()
    with pytest.raises(DownloadError, match=r"no answer within 0\.2 s"):
        download(remote, tmp_path)
    assert time.perf_counter() - start < 3
    assert files(tmp_path) == []


def test_folder_that_cannot_be_written(remote, tmp_path):
    (tmp_path / "folder").write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match=r"File exists|Not a directory"):
        download(remote, tmp_path)


def test_interrupt_keeps_the_part(server, remote, part, tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    server.cut = 70_000
    monkeypatch.setattr(_download, "_copy", interrupt)
    part.parent.mkdir()
    part.write_bytes(CONTENT[:1000])
    with pytest.raises(KeyboardInterrupt):
        download(remote, tmp_path)
    assert part.read_bytes() == CONTENT[:1000]


SCRIPT = """
import sys
from pathlib import Path
from pyconv.datasets._download import Remote, download
url, size, sha256, folder = sys.argv[1:]
print("ready", flush=True)
download(Remote(url, int(size), sha256, "folder/file.tar.gz"), Path(folder))
"""


def run_at_the_same_time(server, remote, tmp_path, count):
    """The exit codes, sorted, of processes that all ask while the server holds the first one up."""
    server.hang = True
    arguments = [remote.url, str(remote.size), remote.sha256, str(tmp_path)]
    command = [sys.executable, "-c", SCRIPT, *arguments]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    for process in processes:
        assert process.stdout.readline() == b"ready\n"
    time.sleep(0.3)
    server.released.set()
    codes = sorted(process.wait(60) for process in processes)
    for process in processes:
        process.stdout.close()
    return codes


def test_processes_at_the_same_time_share_one_download(server, remote, target, tmp_path):
    assert run_at_the_same_time(server, remote, tmp_path, 3) == [0, 0, 0]
    assert server.ranges == [None]
    assert target.read_bytes() == CONTENT
    assert files(tmp_path) == ["file.tar.gz"]


def test_process_that_waited_for_one_that_failed_starts_anew(server, remote, target, tmp_path):
    server.contents = [CONTENT[:-1] + b"?", CONTENT]
    assert run_at_the_same_time(server, remote, tmp_path, 3) == [0, 0, 1]
    assert server.ranges == [None, None]
    assert target.read_bytes() == CONTENT
    assert files(tmp_path) == ["file.tar.gz"]


def test_bar_on_a_terminal(server, remote, target, tmp_path):
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    arguments = [remote.url, str(remote.size), remote.sha256, str(tmp_path)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "150"}
    command = [sys.executable, "-c", SCRIPT, *arguments]
    subprocess.run(command, stdout=subprocess.PIPE, stderr=slave, env=environment, check=True)
    os.close(slave)
    shown = os.read(master, 1 << 20).decode()
    os.close(master)
    assert "━" in shown
    assert "300.0/300.0 kB" in shown


def test_progress_without_stderr(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with _progress.progress("Downloading", 100, 0) as show:
        show(100)


def test_load_data_downloads_into_the_cache(server, tmp_path, monkeypatch):
    import io
    import tarfile

    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name in (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"):
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = 3073
            tar.addfile(info, io.BytesIO(bytes([7]) + bytes(3072)))
    content = archive.getvalue()
    server.contents = [content]
    ours = Remote(
        url=f"http://127.0.0.1:{server.server_port}/cifar-10-binary.tar.gz",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        file="cifar-10-binary.tar.gz",
    )
    monkeypatch.delenv("PYCONV_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    catalog = replace(_cifar_files.CATALOG, remotes=(ours,))
    for _ in range(2):
        source = _search.locate(catalog)
        assert source == tmp_path / "cache/pyconv/cifar-10-binary.tar.gz"
        (x_train, y_train), _ = _cifar_files.read(source)
        assert x_train.shape == (5, 32, 32, 3)
        assert y_train.tolist() == [[7]] * 5
    assert server.ranges == [None]


def test_no_home_folder(monkeypatch):
    for variable in ("PYCONV_DATA", "XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.delenv(variable, raising=False)

    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", no_home)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    monkeypatch.setenv("PYCONV_DATA", "~/data")
    with pytest.raises(FileNotFoundError, match="no home folder to put it in; set XDG_CACHE_HOME"):
        _search.locate(_cifar_files.CATALOG)
