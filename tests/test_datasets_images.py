"""CIFAR-10 as image files in folders: what is read, in which order, and what is refused."""

import sys

import numpy as np
import pytest
from PIL import Image

from pyconv.datasets import cifar10, load


@pytest.fixture
def folder(tmp_path):
    """Two training images and one test image a class; the class is written in their corner."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 2), ("test", 1)):
        for label, name in enumerate(cifar10.CLASS_NAMES):
            (tmp_path / "cifar10" / part / name).mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 256, (32, 32, 3), np.uint8)
                pixels[0, 0] = label, i, count
                place = tmp_path / "cifar10" / part / name / f"{i}.png"
                Image.fromarray(pixels).save(place)
    return tmp_path / "cifar10"


def test_images(folder):
    (x, y), (x_test, y_test) = cifar10.load_data(folder)
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((20, 32, 32, 3), "u1", (20, 1), "u1")
    assert (x_test.shape, y_test.shape) == ((10, 32, 32, 3), (10, 1))
    for images, labels, count in ((x, y, 2), (x_test, y_test, 1)):
        assert np.array_equal(images[:, 0, 0, 0], labels[:, 0])
        assert (images[:, 0, 0, 2] == count).all()
        assert sorted(labels[:, 0]) == sorted([*range(10)] * count)
    # Mixed, and always in the same way.
    assert (np.diff(y[:, 0].astype(int)) < 0).any()
    again = cifar10.load_data(folder)
    assert np.array_equal(again[0][0], x)
    one = np.asarray(Image.open(folder / "train" / "cat" / "1.png"))
    assert np.array_equal(x[(x[:, 0, 0, :2] == [3, 1]).all(1)][0], one)


def test_found_by_its_parent_and_by_auto(folder):
    x = cifar10.load_data(folder)[0][0]
    assert np.array_equal(cifar10.load_data(folder.parent)[0][0], x)
    data = load(path=folder)
    assert data.name == "cifar10"
    assert data.why == f"CIFAR-10 from {folder} (20 training and 10 test images)."
    assert np.array_equal(data.x_train, x)


def test_grey_images_and_other_files(folder):
    (folder / "train" / "cat" / "notes.txt").write_text("no image")
    Image.new("L", (32, 32), 7).save(folder / "train" / "cat" / "grey.JPG")
    x, y = cifar10.load_data(folder)[0]
    assert len(x) == 21
    assert ((x == 7).all((1, 2, 3)) & (y[:, 0] == 3)).sum() == 1


def test_what_is_refused(folder, monkeypatch):
    path = folder / "test" / "dog" / "0.png"
    Image.new("RGB", (33, 32)).save(path)
    with pytest.raises(ValueError, match=r"0\.png: has 33x32 pixels, expected 32x32"):
        cifar10.load_data(folder)
    whole = (folder / "test" / "cat" / "0.png").read_bytes()
    for text in (b"no image", whole[:60], whole[:-500]):
        path.write_bytes(text)
        with pytest.raises(ValueError, match=r"0\.png: not an image, or a damaged one"):
            cifar10.load_data(folder)
    for file in folder.glob("test/*/*"):
        file.unlink()
    with pytest.raises(ValueError, match="test: holds 0 images, expected 1 to"):
        cifar10.load_data(folder)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="images in files need Pillow: pip install pillow"):
        cifar10.load_data(folder)
    (folder / "test" / "dog").rmdir()
    with pytest.raises(FileNotFoundError, match="train/ and test/ with a folder of images for"):
        cifar10.load_data(folder)
