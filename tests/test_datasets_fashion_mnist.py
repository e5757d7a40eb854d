"""Fashion-MNIST from tiny IDX files, gzipped and plain, good and bad."""

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from pyconv.datasets import _idx_files, _search, fashion_mnist
from pyconv.datasets._download import DownloadError

IMAGES, LABELS = "-images-idx3-ubyte", "-labels-idx1-ubyte"


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """A home folder of the test's own, no system folder and no network."""
    for variable in ("PYCONV_DATA", "XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def no_network(remote, folder):
        raise DownloadError("the network is off")

    monkeypatch.setattr(_search, "download", no_network)


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    return {
        part: (
            rng.integers(0, 256, (n, 28, 28), dtype=np.uint8),
            rng.integers(0, 10, n, dtype=np.uint8),
        )
        for part, n in (("train", 7), ("t10k", 3))
    }


def idx(array):
    header = struct.pack(">4B", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write(folder, arrays, gzipped=True):
    folder.mkdir(parents=True, exist_ok=True)
    for part, (images, labels) in arrays.items():
        for name, array in ((part + IMAGES, images), (part + LABELS, labels)):
            if gzipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / name).write_bytes(idx(array))
    return folder


def check(loaded, arrays):
    for (x, y), part in zip(loaded, ("train", "t10k"), strict=True):
        assert x.dtype == y.dtype == np.uint8
        assert x.flags.writeable
        assert y.flags.writeable
        np.testing.assert_array_equal(x, arrays[part][0])
        np.testing.assert_array_equal(y, arrays[part][1])


@pytest.mark.parametrize("gzipped", [True, False])
@pytest.mark.parametrize("folder", [".", "fashion-mnist", "FashionMNIST/raw", "data/fashion"])
def test_folder_and_its_parent(gzipped, folder, arrays, tmp_path):
    written = write(tmp_path / folder, arrays, gzipped)
    check(fashion_mnist.load_data(tmp_path), arrays)
    check(fashion_mnist.load_data(str(written)), arrays)


def test_where_it_looks_without_a_path(arrays, tmp_path, monkeypatch):
    def only(place):
        assert _search.locate(_idx_files.CATALOG) == place
        check(fashion_mnist.load_data(), arrays)

    only(write(tmp_path / "home/.keras/datasets/fashion-mnist", arrays))
    only(write(tmp_path / "home/.cache/pyconv/fashion-mnist", arrays))
    monkeypatch.setenv("PYCONV_DATA", str(tmp_path / "data"))
    only(write(tmp_path / "data", arrays, gzipped=False))
    assert Path("/usr/share/datasets/fashion-mnist") in _idx_files.CATALOG.system_folders


def test_nowhere_is_one_message(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        _search.locate(_idx_files.CATALOG)
    message = str(caught.value)
    for part in (
        "fashion_mnist.load_data: Fashion-MNIST was not found",
        str(tmp_path / "home/.cache/pyconv"),
        "system: /usr/share/datasets/fashion-mnist",
        "train-images-idx3-ubyte.gz failed: the network is off",
        "t10k-labels-idx1-ubyte.gz",
        "fashion_mnist.load_data(path=...)",
    ):
        assert part in message


def test_wrong_paths(arrays, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        fashion_mnist.load_data(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="holds no Fashion-MNIST; expected train-images"):
        fashion_mnist.load_data(tmp_path)
    write(tmp_path, arrays)
    with pytest.raises(FileNotFoundError, match="is no folder; expected train-images"):
        fashion_mnist.load_data(tmp_path / f"train{IMAGES}.gz")
    with pytest.raises(TypeError, match=r"fashion_mnist\.load_data: path must be"):
        fashion_mnist.load_data(5)


def test_missing_files_are_named(arrays, tmp_path):
    write(tmp_path, arrays)
    (tmp_path / f"t10k{LABELS}.gz").unlink()
    with pytest.raises(ValueError, match=f"{tmp_path}: lacks t10k{LABELS}.gz"):
        fashion_mnist.load_data(tmp_path)


LABELS_OF_7 = np.arange(7, dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (IMAGES, b"", "truncated: 0 bytes"),
        (IMAGES, idx(np.zeros((7, 28, 28), np.uint8))[:15], "truncated: 15 bytes"),
        (IMAGES, idx(np.zeros((7, 28, 28), np.uint8))[:-1], "5487 bytes of data, expected 5488"),
        (IMAGES, idx(np.zeros((7, 28, 28), np.uint8)) + b"x", "5489 bytes of data, expected 5488"),
        (IMAGES, idx(np.zeros((7, 28, 27), np.uint8)), r"shape \(7, 28, 27\), expected"),
        (IMAGES, idx(np.zeros((0, 28, 28), np.uint8)), r"shape \(0, 28, 28\), expected"),
        (IMAGES, idx(np.zeros((6, 28, 28), np.uint8)), "6 images, but .* 7 labels"),
        (IMAGES, idx(LABELS_OF_7) + bytes(9), "not an IDX file of uint8 with 3 dimensions"),
        (IMAGES, struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 28, 28), "shape .4294967295, 28, 28"),
        (IMAGES, struct.pack(">4B3I", 0, 0, 13, 3, 7, 28, 28), "starts with the bytes"),
        (LABELS, b"\0\0\x08\x01", "truncated: 4 bytes"),
        (LABELS, idx(LABELS_OF_7)[:-1], "6 bytes of data, expected 7"),
        (LABELS, idx(LABELS_OF_7 + 4), "a label is 10, expected 0 to 9"),
        (LABELS, bytes(70_000), "has more than the 60008 bytes"),
    ],
)
@pytest.mark.parametrize("gzipped", [True, False])
def test_wrong_files_are_named(name, data, message, gzipped, arrays, tmp_path):
    write(tmp_path, {**arrays, "train": (arrays["train"][0], LABELS_OF_7)}, gzipped)
    file = tmp_path / f"train{name}{'.gz' if gzipped else ''}"
    file.write_bytes(gzip.compress(data) if gzipped else data)
    with pytest.raises(ValueError, match=rf"{tmp_path}.*train{name}.*{message}"):
        fashion_mnist.load_data(tmp_path)


def test_damaged_gzip_is_named(arrays, tmp_path):
    write(tmp_path, arrays)
    file = tmp_path / f"train{IMAGES}.gz"
    whole = file.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 0xFF
    cut = (whole[:-1], whole[: len(whole) // 2], whole[:12])
    no_such_block = whole[:10] + b"\x07" + whole[11:]
    for data in (*cut, bytes(changed), no_such_block, whole + b"junk"):
        file.write_bytes(data)
        with pytest.raises(ValueError, match=f"{file}: damaged gzip file"):
            fashion_mnist.load_data(tmp_path)


def test_gzip_that_unpacks_to_far_too_much(arrays, tmp_path):
    write(tmp_path, arrays)
    with gzip.open(tmp_path / f"train{LABELS}.gz", "wb", compresslevel=1) as file:
        for _ in range(200):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(ValueError, match="has more than the 60008 bytes"):
        fashion_mnist.load_data(tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_class_names():
    assert len(fashion_mnist.CLASS_NAMES) == 10
    assert fashion_mnist.CLASS_NAMES[0] == "T-shirt/top"
    assert fashion_mnist.CLASS_NAMES[9] == "Ankle boot"
