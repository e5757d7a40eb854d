"""keras.utils.get_file: what is downloaded, where it is put, and what it refuses."""

import hashlib
import io
import os
import pathlib
import tarfile
import zipfile

import pytest

import pyconv.compat.keras as keras
from pyconv import compat
from pyconv.compat._get_file import extract_archive

TEXT = b"of the network"


@pytest.fixture(params=["keras2", "keras3"])
def era(request):
    compat.select(request.param)
    yield request.param
    compat.select("keras2")


@pytest.fixture
def archive(tmp_path):
    """Return a function that makes an archive of a/b.txt and returns its URL."""

    def made(name):
        path = tmp_path / name
        if name.endswith("zip"):
            with zipfile.ZipFile(path, "w") as file:
                file.writestr("a/b.txt", TEXT)
        else:
            with tarfile.open(path, "w:gz") as file:
                add(file, "a/b.txt")
        return path.as_uri()

    return made


def add(archive, name, **attributes):
    member = tarfile.TarInfo(name)
    member.size = 0 if attributes else len(TEXT)
    for key, value in attributes.items():
        setattr(member, key, value)
    archive.addfile(member, io.BytesIO(TEXT))


def text(tmp_path, content=TEXT):
    path = tmp_path / "from.txt"
    path.write_bytes(content)
    return path.as_uri()


def test_a_file_is_downloaded_once(tmp_path, capsys, monkeypatch, era):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    url = text(tmp_path)
    path = keras.utils.get_file(origin=url)
    assert path == str(tmp_path / "home" / "datasets" / "from.txt")
    assert pathlib.Path(path).read_bytes() == TEXT
    text(tmp_path, b"another")
    assert keras.utils.get_file("from.txt", url) == path
    assert pathlib.Path(path).read_bytes() == TEXT
    assert capsys.readouterr().out == f"Downloading data from {url}\n"
    keras.utils.get_file("from.txt", url, force_download=True)
    assert pathlib.Path(path).read_bytes() == b"another"


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_hashes(tmp_path, kind):
    url, there = text(tmp_path), {"cache_dir": tmp_path, "cache_subdir": "there"}
    right = hashlib.new(kind, TEXT).hexdigest()
    path = keras.utils.get_file("to.txt", url, file_hash=right, **there)
    text(tmp_path, b"another")
    new = hashlib.new(kind, b"another").hexdigest()
    with pytest.raises(ValueError, match=f"corrupted file detected: .* is {new}, not {'0' * 32}"):
        keras.utils.get_file("to.txt", url, file_hash="0" * len(new), **there)
    assert pathlib.Path(path).read_bytes() == TEXT
    keras.utils.get_file("to.txt", url, file_hash=new, hash_algorithm=kind, **there)
    assert pathlib.Path(path).read_bytes() == b"another"
    assert os.listdir(tmp_path / "there") == ["to.txt"]


@pytest.mark.parametrize(
    ("name", "arguments", "keras2", "keras3"),
    [
        ("x.tar.gz", {"untar": True}, "x", "x_extracted"),
        ("x", {"untar": True}, "x", "x"),
        ("x.zip", {"extract": True}, "x.zip", "x_extracted"),
        ("x", {"extract": True}, "x", "x"),
    ],
)
def test_archives(archive, tmp_path, era, name, arguments, keras2, keras3):
    url = archive("from.zip" if "extract" in arguments else "from.tgz")
    for _ in range(2):
        path = keras.utils.get_file(name, url, cache_dir=tmp_path / era, **arguments)
        folder = tmp_path / era / "datasets"
        assert path == str(folder / {"keras2": keras2, "keras3": keras3}[era])
        # TensorFlow 2's get_file unpacks beside the archive.
        within = pathlib.Path(path) if era == "keras3" else folder
        assert (within / "a" / "b.txt").read_bytes() == TEXT


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("../out.txt", {}),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "../.."}),
        ("device", {"type": tarfile.CHRTYPE}),
    ],
)
@pytest.mark.parametrize("filters", [True, False])
def test_archives_do_not_lead_out_of_their_folder(tmp_path, name, attributes, filters, monkeypatch):
    if not filters:  # as before Python 3.11.4
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as file:
        add(file, "a.txt")
        add(file, name, **attributes)
    with pytest.raises(tarfile.TarError):
        extract_archive(path, tmp_path / "to")
    assert os.listdir(tmp_path) == ["x.tar"]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        zipped.writestr("../out.txt", TEXT)
    assert extract_archive(tmp_path / "x.zip", tmp_path / "to")
    assert os.listdir(tmp_path / "to") == ["out.txt"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, 'specify the "origin"'),
        ({"origin": "file:///"}, ValueError, "fname must be the name of a file, got ''"),
        ({"fname": "../a", "origin": "file:///a"}, ValueError, "got '../a'; its folder is"),
        ({"fname": "a", "origin": "file:///no/such"}, OSError, "failure on file:///no/such"),
    ],
)
def test_what_is_refused(arguments, error, message, tmp_path):
    with pytest.raises(error, match=message):
        keras.utils.get_file(cache_dir=tmp_path, **arguments)


def test_archives_of_other_kinds(tmp_path):
    text(tmp_path)
    assert not extract_archive(tmp_path / "from.txt", tmp_path / "to")
    with pytest.raises(NotImplementedError, match="unknown archive_format 'rar'"):
        extract_archive(tmp_path / "from.txt", tmp_path / "to", "rar")
