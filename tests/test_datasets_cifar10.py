"""CIFAR-10 from tiny files of each layout, in folders and archives, good and bad."""

import gzip
import io
import os
import pickle
import tarfile
import tracemalloc

import numpy as np
import pytest

from pyconv.datasets import _cifar_files, _search, cifar10
from pyconv.datasets._download import DownloadError

REAL_DATA = os.environ.get("PYCONV_DATA")
NAMES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """A home folder of the test's own, and no network."""
    for variable in ("PYCONV_DATA", "XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def no_network(remote, folder):
        raise DownloadError("the network is off")

    monkeypatch.setattr(_search, "download", no_network)


@pytest.fixture(scope="module")
def batches():
    """Name -> (pixels (N, 3072), labels (N,)): N differs from batch to batch."""
    rng = np.random.default_rng(0)
    return {
        name: (
            rng.integers(0, 256, (2 + i, 3072), dtype=np.uint8),
            rng.integers(0, 10, 2 + i, dtype=np.uint8),
        )
        for i, name in enumerate(NAMES)
    }


def binary_files(batches):
    return {
        f"{name}.bin": np.hstack([labels[:, None], pixels]).tobytes()
        for name, (pixels, labels) in batches.items()
    }


def python_files(batches, protocol=2):
    return {
        name: pickle.dumps(
            {b"batch_label": b"a batch", b"labels": labels.tolist(), b"data": pixels}, protocol
        )
        for name, (pixels, labels) in batches.items()
    }


def python2_files(batches):
    """The official files' opcodes: str as SHORT_BINSTRING, BINSTRING; numpy.core."""

    def batch(name, pixels, labels):
        label_list = b"]q\x03(" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
        names = b"]q\x09(" + b"".join(b"U\x05a.pngq\x0a" for _ in labels) + b"e"
        array = (
            b"cnumpy.core.multiarray\n_reconstruct\nq\x04cnumpy\nndarray\nq\x05K\x00\x85U\x01b\x87R"
            b"q\x06(K\x01M" + len(labels).to_bytes(2, "little") + b"M\x00\x0c\x86"
            b"cnumpy\ndtype\nq\x07U\x02u1K\x00K\x01\x87Rq\x08"
            b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
            b"T" + pixels.size.to_bytes(4, "little") + pixels.tobytes() + b"tb"
        )
        return (
            b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x05train"
            b"U\x06labels" + label_list + b"U\x04data" + array + b"U\x09filenames" + names + b"u."
        )

    return {name: batch(name, *arrays) for name, arrays in batches.items()}


def test_python2_files_are_what_pickle_reads(batches):
    for name, data in python2_files(batches).items():
        entry = pickle.loads(data, encoding="bytes")
        np.testing.assert_array_equal(entry[b"data"], batches[name][0])
        assert entry[b"labels"] == batches[name][1].tolist()


LAYOUTS = {
    "binary": (binary_files, "cifar-10-batches-bin"),
    "python": (python_files, "cifar-10-batches-py"),
    "python2": (python2_files, "cifar-10-batches-py"),
}


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def write_tar(path, files, folder, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{folder}/{name}" if folder else name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def check(loaded, batches):
    (x_train, y_train), (x_test, y_test) = loaded
    for array in (x_train, y_train, x_test, y_test):
        assert array.dtype == np.uint8
        assert array.flags.c_contiguous
        assert array.flags.writeable
    train = [batches[name] for name in NAMES[:5]]
    # The format: 1024 red values row by row, then green, then blue.
    for x, y, parts in ((x_train, y_train, train), (x_test, y_test, [batches["test_batch"]])):
        pixels = np.concatenate([part[0] for part in parts])
        assert x.shape == (len(pixels), 32, 32, 3)
        for channel in range(3):
            plane = pixels[:, channel * 1024 : (channel + 1) * 1024].reshape(-1, 32, 32)
            np.testing.assert_array_equal(x[..., channel], plane)
        np.testing.assert_array_equal(y, np.concatenate([part[1] for part in parts])[:, None])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("as_string", [False, True])
def test_folder_and_its_parent(layout, as_string, batches, tmp_path):
    make, folder = LAYOUTS[layout]
    write(tmp_path / folder, make(batches))
    for path in (tmp_path / folder, tmp_path):
        check(cifar10.load_data(str(path) if as_string else path), batches)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("mode", ["w:gz", "w"])
@pytest.mark.parametrize("prefix", ["{}", "./{}", "a/b/{}", "../../{}", "/{}", ""])
def test_archive_is_read_and_never_extracted(layout, mode, prefix, batches, tmp_path):
    make, folder = LAYOUTS[layout]
    path = tmp_path / "inner" / "inner" / "any-name"
    path.parent.mkdir(parents=True)
    write_tar(path, make(batches), prefix.format(folder), mode)
    before = sorted(tmp_path.rglob("*"))
    check(cifar10.load_data(path), batches)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["cifar-10-binary.tar.gz", "cifar-10-python.tar"])
def test_folder_that_holds_an_archive(name, batches, tmp_path):
    layout = "binary" if "binary" in name else "python"
    make, folder = LAYOUTS[layout]
    write_tar(tmp_path / name, make(batches), folder, "w:gz" if name.endswith("gz") else "w")
    check(cifar10.load_data(tmp_path), batches)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol(protocol, batches, tmp_path):
    check(cifar10.load_data(write(tmp_path, python_files(batches, protocol))), batches)


def test_a_complete_layout_is_preferred(batches, tmp_path):
    files = binary_files(batches)
    del files["data_batch_3.bin"]
    write(tmp_path / "cifar-10-batches-bin", files)
    write_tar(tmp_path / "cifar-10-python.tar.gz", python_files(batches), "x")
    check(cifar10.load_data(tmp_path), batches)


def test_where_it_looks_without_a_path(batches, tmp_path, monkeypatch):
    home = tmp_path / "home"
    binary, python = binary_files(batches), python_files(batches)
    keras = home / ".keras/datasets"

    def only(place):
        assert _search.locate(_cifar_files.CATALOG) == place
        check(cifar10.load_data(), batches)

    keras.mkdir(parents=True)
    only(write_tar(keras / "cifar-10-batches-py.tar.gz", python, "cifar-10-batches-py"))
    target = keras / "cifar-10-batches-py-target/cifar-10-batches-py"
    only(write(target, python))
    only(write(keras / "cifar-10-batches-py", python))
    cache = home / ".cache/pyconv"
    cache.mkdir(parents=True)
    only(write_tar(cache / "cifar-10-binary.tar.gz", binary, "cifar-10-batches-bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    only(cache / "cifar-10-binary.tar.gz")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    only(write(tmp_path / "xdg/pyconv/cifar-10-batches-bin", binary))
    monkeypatch.setenv("PYCONV_DATA", str(tmp_path / "data"))
    only(tmp_path / "xdg/pyconv/cifar-10-batches-bin")
    only(write(tmp_path / "data/cifar-10-batches-bin", binary))
    monkeypatch.setenv("PYCONV_DATA", "~/mine")
    only(write(home / "mine", binary))
    monkeypatch.delenv("PYCONV_DATA")
    monkeypatch.delenv("XDG_CACHE_HOME")
    (cache / "cifar-10-binary.tar.gz").unlink()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    only(write(tmp_path / "keras/datasets/cifar-10-batches-py", python))


def test_nowhere_is_one_message_that_says_what_to_do(batches, tmp_path, monkeypatch):
    files = binary_files(batches)
    del files["test_batch.bin"]
    write(tmp_path / "data", files)
    monkeypatch.setenv("PYCONV_DATA", str(tmp_path / "data"))
    with pytest.raises(FileNotFoundError) as caught:
        cifar10.load_data()
    message = str(caught.value)
    for part in (
        "cifar10.load_data: CIFAR-10 was not found",
        f"{tmp_path / 'data'} (incomplete: {tmp_path / 'data'} lacks test_batch.bin)",
        str(tmp_path / "home/.cache/pyconv"),
        str(tmp_path / "home/.keras/datasets"),
        "cifar-10-binary.tar.gz failed: the network is off",
        "cifar10.load_data(path=...)",
        "shapes10",
    ):
        assert part in message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_wrong_paths(tmp_path):
    missing = tmp_path / "nothing"
    with pytest.raises(FileNotFoundError, match=f"'{missing}' does not exist"):
        cifar10.load_data(missing)
    with pytest.raises(FileNotFoundError, match="holds no CIFAR-10; expected cifar-10-batches-bin"):
        cifar10.load_data(tmp_path)
    with pytest.raises(FileNotFoundError, match="'/dev/null' is no folder; expected"):
        cifar10.load_data("/dev/null")
    with pytest.raises(FileNotFoundError, match="x' does not exist"):
        cifar10.load_data(10_000 * "x")
    for value in (3, b"bytes", ["list"], 1.5, True):
        with pytest.raises(TypeError, match="path must be a string or a path, got"):
            cifar10.load_data(value)
    for value in ("", "nul\0byte"):
        with pytest.raises(ValueError, match="path must name a file or a folder"):
            cifar10.load_data(value)


@pytest.mark.parametrize("size", [0, 1, 3072, 3074, 2 * 3073 - 1])
def test_truncated_binary_batch(size, batches, tmp_path):
    write(tmp_path, binary_files(batches))
    (tmp_path / "data_batch_2.bin").write_bytes(bytes(size))
    with pytest.raises(ValueError, match=rf"{tmp_path}: data_batch_2\.bin is not a batch"):
        cifar10.load_data(tmp_path)


def test_batches_of_the_wrong_size_or_labels(batches, tmp_path):
    write(tmp_path, binary_files(batches))
    file = tmp_path / "test_batch.bin"
    file.write_bytes(bytes([10]) + bytes(3072))
    with pytest.raises(ValueError, match=r"test_batch\.bin .*label is 10, expected 0 to 9"):
        cifar10.load_data(tmp_path)
    file.write_bytes(bytes(10_001 * 3073))
    with pytest.raises(ValueError, match=r"test_batch\.bin .*10001 images, expected 1 to 10000"):
        cifar10.load_data(tmp_path)
    file.write_bytes(bytes((1 << 26) + 1))
    with pytest.raises(ValueError, match=r"test_batch\.bin: has more than"):
        cifar10.load_data(tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("archived", [False, True])
def test_missing_batches_are_named(layout, archived, batches, tmp_path):
    make, folder = LAYOUTS[layout]
    files = make(batches)
    gone = list(files)[3:5]
    for name in gone:
        del files[name]
    if archived:
        path = write_tar(tmp_path / "data.tar.gz", files, folder)
    else:
        path = write(tmp_path / folder, files)
    with pytest.raises(ValueError, match=f"{path}: lacks {', '.join(gone)}"):
        cifar10.load_data(path)


def valid_entry():
    return {b"data": np.zeros((2, 3072), np.uint8), b"labels": [1, 2]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({b"data": np.zeros((2, 3071), np.uint8)}, r"shape \(N, 3072\), got \(2, 3071\)"),
        ({b"data": np.zeros(6144, np.uint8)}, r"shape \(N, 3072\), got \(6144,\)"),
        ({b"data": np.zeros((2, 3072), np.float32)}, "array of uint8"),
        ({b"data": [[0] * 3072] * 2}, "array of uint8"),
        ({b"data": None}, "array of uint8"),
        ({b"labels": [1, 2, 3]}, "2 images and 3 labels"),
        ({b"labels": [1, 10]}, "label is 10"),
        ({b"labels": [1, -1]}, "list of integers"),
        ({b"labels": [1, 2**70]}, "list of integers"),
        ({b"labels": [1, True]}, "list of integers"),
        ({b"labels": "ab"}, "list of integers"),
        ({b"labels": None}, "list of integers"),
        ({b"data": np.zeros((0, 3072), np.uint8), b"labels": []}, "0 images"),
        ({b"data": os.system}, "refers to"),
    ],
)
def test_wrong_pickles_name_the_file(change, message, batches, tmp_path):
    write(tmp_path, python_files(batches))
    (tmp_path / "data_batch_4").write_bytes(pickle.dumps({**valid_entry(), **change}))
    with pytest.raises(ValueError, match=f"{tmp_path}: data_batch_4 is not a batch.*{message}"):
        cifar10.load_data(tmp_path)


def test_pickle_of_no_dict(batches, tmp_path):
    write(tmp_path, python_files(batches))
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ValueError, match=r"data_batch_1 .*holds a list, expected a dict"):
        cifar10.load_data(tmp_path)


@pytest.mark.parametrize("mode", ["w:gz", "w"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_truncated_archive(layout, mode, batches, tmp_path):
    make, folder = LAYOUTS[layout]
    whole = write_tar(tmp_path / "whole", make(batches), folder, mode).read_bytes()
    path = tmp_path / "cut"
    for part in (0, 0.01, 0.3, 0.6, 0.9):
        path.write_bytes(whole[: int(part * len(whole))])
        with pytest.raises(ValueError, match=str(path)):
            cifar10.load_data(path)


def value_error(path):
    """The message of the ValueError that loading ends in, or None."""
    try:
        cifar10.load_data(path)
    except ValueError as error:
        return str(error)
    return None


def test_damaged_archives_are_value_errors(batches, tmp_path):
    rng = np.random.default_rng(1)
    small = {name: (pixels[:1], labels[:1]) for name, (pixels, labels) in batches.items()}
    path = tmp_path / "damaged"
    messages = []
    for mode in ("w", "w:gz"):
        whole = write_tar(path, python_files(small), "cifar-10-batches-py", mode).read_bytes()
        for _ in range(150):
            damaged = np.frombuffer(whole, np.uint8).copy()
            where = rng.integers(0, len(damaged), 8)
            damaged[where] = rng.integers(0, 256, 8)
            headers = np.arange(3) * 4096  # where a change matters most
            damaged[headers + rng.integers(0, 512, 3)] = rng.integers(0, 256, 3)
            path.write_bytes(damaged.tobytes())
            messages.append(value_error(path))
    assert all(str(path) in message for message in messages if message)
    assert sum(map(bool, messages)) > 100


def test_archive_that_unpacks_to_far_too_much(tmp_path):
    """A megabyte of gzip that holds a gigabyte, in a file that is skipped or in a header."""
    for kind in (tarfile.REGTYPE, tarfile.XHDTYPE):
        info = tarfile.TarInfo("cifar-10-batches-bin/readme.html")
        info.size, info.type = 1 << 30, kind
        path = tmp_path / "bomb.tar.gz"
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(info.tobuf())
            for _ in range(600):
                file.write(bytes(1 << 20))
        with pytest.raises(ValueError, match="unpacks to more than"):
            cifar10.load_data(path)


def test_archive_member_that_is_too_large_or_no_file(batches, tmp_path):
    path = tmp_path / "data.tar"
    info = tarfile.TarInfo("data_batch_1.bin")
    info.size = 1 << 40
    path.write_bytes(info.tobuf() + bytes(10240))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"data_batch_1\.bin has 1099511627776 bytes"):
        cifar10.load_data(path)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()

    secret = tmp_path / "secret"
    secret.write_bytes(bytes(3073))
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
        files = binary_files(batches)
        del files["test_batch.bin"]
        write_tar(path, files, "x", "w")
        with tarfile.open(path, "a") as archive:
            info = tarfile.TarInfo("x/test_batch.bin")
            info.type, info.linkname = kind, str(secret)
            archive.addfile(info)
        with pytest.raises(ValueError, match=r"lacks test_batch\.bin"):
            cifar10.load_data(path)


def test_archive_with_a_batch_twice(batches, tmp_path):
    path = write_tar(tmp_path / "data.tar", binary_files(batches), "a", "w")
    with tarfile.open(path, "a") as archive:
        archive.addfile(tarfile.TarInfo("b/data_batch_1.bin"))
    with pytest.raises(ValueError, match=r"holds data_batch_1\.bin twice"):
        cifar10.load_data(path)


def test_file_that_is_no_archive(tmp_path):
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(bytes(3073))
    with pytest.raises(ValueError, match=r"lacks|not a tar archive"):
        cifar10.load_data(path)
    path.write_bytes(b"hello" * 1000)
    with pytest.raises(ValueError, match=f"{path}: not a tar archive"):
        cifar10.load_data(path)


def test_class_names():
    assert len(cifar10.CLASS_NAMES) == 10
    assert cifar10.CLASS_NAMES[0] == "airplane"
    assert cifar10.CLASS_NAMES[9] == "truck"


@pytest.mark.data
def test_the_real_data_set():
    (x_train, y_train), (x_test, y_test) = cifar10.load_data(REAL_DATA)
    assert x_train.shape == (50000, 32, 32, 3)
    assert x_test.shape == (10000, 32, 32, 3)
    assert (np.bincount(y_train.ravel()) == 5000).all()
    assert (np.bincount(y_test.ravel()) == 1000).all()
    # The means and deviations of red, green and blue that are published for the training set.
    pixels = x_train.reshape(-1, 3)
    np.testing.assert_allclose(pixels.mean(axis=0), [125.3, 123.0, 113.9], atol=2)
    np.testing.assert_allclose(pixels.std(axis=0), [63.0, 62.1, 66.7], atol=2)


@pytest.mark.data
def test_both_layouts_of_the_real_data_set_are_equal():
    binary, python = (
        cifar10.load_data(os.path.join(REAL_DATA, f"cifar-10-batches-{layout}"))
        for layout in ("bin", "py")
    )
    for part in range(2):
        for kind in range(2):
            np.testing.assert_array_equal(binary[part][kind], python[part][kind])
