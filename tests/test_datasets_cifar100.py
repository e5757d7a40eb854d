"""CIFAR-100: both kinds of labels from the official layout, and what is wrong with a file."""

import pickle
import tarfile

import numpy as np
import pytest

from pyconv import datasets
from pyconv.compat import _image_order
from pyconv.compat.keras import datasets as keras_datasets

PIXELS = np.arange(3 * 3072, dtype=np.int64).reshape(3, 3072).astype(np.uint8)


def content(**changes):
    whole = {
        b"data": PIXELS,
        b"fine_labels": [0, 57, 99],
        b"coarse_labels": [4, 2, 19],
        b"filenames": [b"a.png"] * 3,
        b"batch_label": b"training batch 1 of 1",
    }
    whole.update({name.encode(): value for name, value in changes.items()})
    return pickle.dumps(whole, 2)


def folder(path, train, test=None):
    path.mkdir(parents=True, exist_ok=True)
    (path / "train").write_bytes(train)
    (path / "test").write_bytes(train if test is None else test)
    return path


@pytest.mark.parametrize("layout", ["folder", "above", "archive"])
def test_labels_of_both_kinds(layout, tmp_path):
    source = folder(tmp_path / "cifar-100-python", content())
    path = source if layout == "folder" else tmp_path
    if layout == "archive":
        path = tmp_path / "c.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            archive.add(source, "cifar-100-python")
    (x, fine), _ = datasets.cifar100.load_data(path=path)
    (_, _), (x_test, coarse) = datasets.cifar100.load_data("coarse", path)
    assert x.dtype == fine.dtype == np.uint8
    np.testing.assert_array_equal(x, PIXELS.reshape(3, 3, 32, 32).transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(x_test, x)
    assert fine.tolist() == [[0], [57], [99]]
    assert coarse.tolist() == [[4], [2], [19]]


def test_it_is_found_where_the_environment_says(tmp_path, monkeypatch):
    folder(tmp_path / "cifar-100-python", content())
    monkeypatch.setenv("PYCONV_DATA", str(tmp_path))
    monkeypatch.setattr(_image_order, "_chosen", "channels_first")
    (x, _), _ = keras_datasets.cifar100.load_data(label_mode="coarse")
    np.testing.assert_array_equal(x, PIXELS.reshape(3, 3, 32, 32))


@pytest.mark.parametrize(
    ("train", "words"),
    [
        (content(fine_labels=[0, 1, 100]), "integers from 0 to 99"),
        (content(fine_labels=[0, 1]), "3 images and 2 labels"),
        (content(data=PIXELS[:, :3000]), r"must have shape \(N, 3072\)"),
        (content(data=PIXELS.astype(np.float32)), "array of uint8"),
        (content()[:-3], "is not a file of CIFAR-100"),
        (pickle.dumps([1], 2), "expected a dict"),
        (b"", "is not a file of CIFAR-100"),
    ],
)
def test_damaged_files(train, words, tmp_path):
    path = folder(tmp_path, train, content())
    with pytest.raises(ValueError, match=f"train is not a file of CIFAR-100: .*{words}|{words}"):
        datasets.cifar100.load_data(path=path)


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match="'fine' or 'coarse'"):
        datasets.cifar100.load_data("all")
    with pytest.raises(FileNotFoundError, match="holds no CIFAR-100"):
        datasets.cifar100.load_data(path=tmp_path)
