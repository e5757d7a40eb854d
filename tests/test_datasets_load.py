"""load: the data set that a name and a path stand for, and the sentence that says why."""

import doctest
import importlib
import struct
import subprocess
import sys

import numpy as np
import pytest

import pyconv.datasets
from pyconv.datasets import _search, cifar10, fashion_mnist, load, shapes10
from pyconv.datasets._download import DownloadError


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """A home folder of the test's own, and no network."""
    for variable in ("PYCONV_DATA", "XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def no_network(remote, folder):
        raise DownloadError("the network is off")

    monkeypatch.setattr(_search, "download", no_network)


@pytest.fixture
def cifar_folder(tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (folder / f"{name}.bin").write_bytes(2 * (bytes([4]) + bytes(range(256)) * 12))
    return folder


@pytest.fixture
def fashion_folder(tmp_path):
    folder = tmp_path / "fashion"
    folder.mkdir()
    for part in ("train", "t10k"):
        images = struct.pack(">4B3I", 0, 0, 8, 3, 2, 28, 28) + bytes(range(28)) * 56
        (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x02\x09\x05")
    return folder


def check_form(data):
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert x.dtype == y.dtype == np.uint8
        assert x.ndim == 4
        assert x.shape[1:] == data.input_shape
        assert y.shape == (len(x),)
        assert y.max() < len(data.class_names)
        assert x.flags.c_contiguous


@pytest.mark.parametrize("name", ["cifar10", "auto"])
def test_cifar10(name, cifar_folder, monkeypatch):
    data = load(name, cifar_folder)
    check_form(data)
    assert data.name == "cifar10"
    assert data.class_names is cifar10.CLASS_NAMES
    assert data.why == f"CIFAR-10 from {cifar_folder} (10 training and 2 test images)."
    np.testing.assert_array_equal(data.x_train, cifar10.load_data(cifar_folder)[0][0])
    monkeypatch.setenv("PYCONV_DATA", str(cifar_folder))
    assert load(name).why == data.why


@pytest.mark.parametrize("name", ["fashion_mnist", "auto"])
def test_fashion_mnist(name, fashion_folder):
    data = load(name, str(fashion_folder))
    check_form(data)
    assert data.name == "fashion_mnist"
    assert data.input_shape == (28, 28, 1)
    assert data.class_names is fashion_mnist.CLASS_NAMES
    assert data.why == f"Fashion-MNIST from {fashion_folder} (2 training and 2 test images)."
    (x_train, y_train), _ = fashion_mnist.load_data(fashion_folder)
    np.testing.assert_array_equal(data.x_train[..., 0], x_train)
    np.testing.assert_array_equal(data.y_train, y_train)


def test_shapes10():
    data = load("shapes10")
    check_form(data)
    assert data.name == "shapes10"
    assert data.class_names is shapes10.CLASS_NAMES
    assert data.why == "shapes10, drawn by pyconv (10,000 training and 2,000 test images)."
    np.testing.assert_array_equal(data.x_test, shapes10.load_data(1, 2000)[1][0])


def test_auto_without_cifar10_says_why():
    data = load()
    assert data.name == "shapes10"
    assert data.why == (
        "CIFAR-10 is not on this machine and could not be downloaded (the network is off); "
        "instead shapes10, drawn by pyconv (10,000 training and 2,000 test images)."
    )


def test_auto_takes_cifar10_where_a_path_holds_both(cifar_folder, fashion_folder):
    assert cifar_folder.parent == fashion_folder.parent
    fashion_folder.rename(cifar_folder.parent / "fashion-mnist")
    assert load("auto", cifar_folder.parent).name == "cifar10"
    assert load("fashion_mnist", cifar_folder.parent).name == "fashion_mnist"


def test_only_auto_takes_something_else():
    for name in ("cifar10", "fashion_mnist"):
        with pytest.raises(FileNotFoundError, match=f"{name}.load_data: .* was not found"):
            load(name)


@pytest.mark.parametrize("name", ["auto", "cifar10", "fashion_mnist"])
def test_wrong_path_is_an_error(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load(name, tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="expected"):
        load(name, tmp_path)
    with pytest.raises(TypeError, match="path must be a string or a path, got int"):
        load(name, 3)


def test_damaged_files_are_an_error(cifar_folder, monkeypatch):
    (cifar_folder / "data_batch_2.bin").write_bytes(bytes(100))
    monkeypatch.setenv("PYCONV_DATA", str(cifar_folder))
    with pytest.raises(ValueError, match=r"data_batch_2\.bin"):
        load("auto")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cifar-10", "must be one of auto, cifar10, .* did you mean 'cifar10'"),
        ("Fashion-MNIST", "did you mean 'fashion_mnist'"),
        ("shapes", "did you mean 'shapes10'"),
        ("imagenet", "got 'imagenet'$"),
    ],
)
def test_unknown_name(name, message):
    with pytest.raises(ValueError, match=message):
        load(name)


def test_wrong_arguments():
    with pytest.raises(TypeError, match="name must be a string, got int"):
        load(10)
    with pytest.raises(ValueError, match="shapes10 is drawn, not read; leave out path"):
        load("shapes10", "/data")


def test_modules_are_imported_on_first_use():
    script = (
        "import sys, numpy; before = set(sys.modules); import pyconv.datasets; "
        "print(sorted(m for m in set(sys.modules) - before if m.startswith('pyconv.datasets'))); "
        "pyconv.datasets.shapes10.load_data(1, 1); pyconv.datasets.load; "
        "print({'urllib.request', 'tarfile', 'pickletools', 'rich', 'ssl'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["['pyconv.datasets']", "set()"]
    assert set(pyconv.datasets.__all__) == set(dir(pyconv.datasets))
    with pytest.raises(AttributeError, match="has no attribute 'mnist'"):
        pyconv.datasets.mnist  # noqa: B018


@pytest.mark.parametrize("module", ["cifar10", "fashion_mnist", "shapes10", "_load"])
def test_examples(module):
    results = doctest.testmod(importlib.import_module(f"pyconv.datasets.{module}"))
    assert results.attempted > 2
    assert results.failed == 0
