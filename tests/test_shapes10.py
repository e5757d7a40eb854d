"""shapes10: the same bits everywhere, balanced, varied, and each class of its own shape."""

import zlib

import numpy as np
import pytest

from pyconv.datasets import _shapes, shapes10
from pyconv.datasets._outlines import signed_distance


@pytest.fixture(scope="module")
def data():
    return shapes10.load_data(2000, 1000)


def test_form(data):
    for (x, y), n in zip(data, (2000, 1000), strict=True):
        assert x.shape == (n, 32, 32, 3)
        assert y.shape == (n, 1)
        assert x.dtype == y.dtype == np.uint8
        assert x.flags.c_contiguous
    assert len(set(shapes10.CLASS_NAMES)) == 10


def test_same_bits_on_every_machine():
    """PCG64's raw stream and IEEE 754's basic operations are fixed, and nothing else is used."""
    (x, y), (x_test, y_test) = shapes10.load_data(700, 300, seed=7)
    crcs = [zlib.crc32(array.tobytes()) for array in (x, y, x_test, y_test)]
    assert crcs == [4218185487, 3594299460, 2493118593, 1002567212]


def test_every_ten_images_hold_each_class_once(data):
    for _, y in data:
        groups = np.sort(y.reshape(-1, 10), axis=1)
        np.testing.assert_array_equal(groups, np.tile(np.arange(10), (len(groups), 1)))
        assert len({tuple(group) for group in y.reshape(-1, 10)}) > 90


@pytest.mark.parametrize("n", [1, 9, 499, 500, 501, 1234])
def test_smaller_sets_are_the_first_images_of_larger_ones(n, data):
    (x, y), (x_test, y_test) = shapes10.load_data(n, 3)
    np.testing.assert_array_equal(x, data[0][0][:n])
    np.testing.assert_array_equal(y, data[0][1][:n])
    np.testing.assert_array_equal(x_test, data[1][0][:3])
    np.testing.assert_array_equal(y_test, data[1][1][:3])


def test_seeds_and_splits_differ(data):
    (x, _), (x_test, _) = data
    other = shapes10.load_data(1000, 1, seed=1)[0][0]
    images = np.concatenate([x, x_test, other]).reshape(4000, -1)
    assert len(np.unique(images, axis=0)) == 4000
    correlation = np.corrcoef(np.stack([a[:1000].ravel() for a in (x, x_test, other)]))
    assert np.abs(correlation - np.eye(3)).max() < 0.2


def test_images_are_varied(data):
    x = data[0][0]
    assert x.min() == 0
    assert x.max() == 255
    assert x.mean(axis=(1, 2)).std(axis=0).min() > 15
    assert x.std(axis=(1, 2)).min() > 3


def test_colours_do_not_tell_the_class(data):
    (x, y), _ = data
    means = x.mean(axis=(1, 2))
    overall = means.std(axis=0)
    for label in range(10):
        mine = means[y[:, 0] == label]
        assert (np.abs(mine.mean(axis=0) - means.mean(axis=0)) < 0.6 * overall).all()


def area_inside(label):
    axis = (np.arange(1000, dtype=np.float32) - 499.5) * 0.0022
    return (signed_distance(label, *np.meshgrid(axis, axis)) < 0).mean() * 2.2**2


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("circle", np.pi * 0.85**2),
        ("ring", np.pi * (0.92**2 - 0.52**2)),
        ("square", 1.4**2),
        ("triangle", 0.75 * np.sqrt(3)),
        ("star", 5 * 0.3999 * np.sin(np.pi / 5)),
        ("cross", 1.9 * 0.54 * 2 - 0.54**2),
        ("arrow", 0.5 * 1.5 * 0.85 + 1.1 * 0.5),
        ("hourglass", 1.3 * 0.8),
    ],
)
def test_areas_of_the_outlines(name, area):
    label = shapes10.CLASS_NAMES.index(name)
    assert area_inside(label) == pytest.approx(area, rel=0.005)


def test_crescent_and_heart():
    crescent = shapes10.CLASS_NAMES.index("crescent")
    u = np.float32([-0.9, -0.5, 0.0, 0.8, -0.2, -0.2])
    v = np.float32([0.0, 0.0, 0.0, 0.0, 0.9, -0.9])
    inside = signed_distance(crescent, u, v) < 0
    assert inside.tolist() == [True, True, False, False, True, True]
    heart = shapes10.CLASS_NAMES.index("heart")
    u = np.float32([0.0, 0.0, -0.5, 0.5, 0.8, 0.0])
    v = np.float32([0.8, -0.7, -0.6, -0.6, 0.8, 0.0])
    assert (signed_distance(heart, u, v) < 0).tolist() == [True, False, True, True, False, True]


@pytest.mark.parametrize("label", range(10))
def test_distance_is_to_the_nearest_point_of_the_outline(label):
    """Its gradient has length 1 almost everywhere, and it vanishes on the outline."""
    grid = np.linspace(-1.2, 1.2, 241, dtype=np.float32)
    u, v = np.meshgrid(grid, grid)
    distance = signed_distance(label, u, v)
    dv, du = np.gradient(distance, 0.01)
    length = np.hypot(du, dv)[1:-1, 1:-1]
    assert np.quantile(np.abs(length - 1), 0.9) < 0.02
    assert length.max() < 1.05
    assert (distance[[0, -1]] > 0).all()
    assert (distance[:, [0, -1]] > 0).all()


def test_shapes_lie_within_the_image():
    """At every position and size: most of each shape is to be seen."""
    labels = np.tile(np.arange(10), 50)
    axis = np.arange(32, dtype=np.float32) + 0.5
    covered = _shapes._shape(labels, *np.meshgrid(axis, axis), _shapes._Random(3, 0, 0))
    assert covered.dtype == np.float32
    assert covered.min() == 0
    assert 0.65 < covered.max() <= 1
    assert (covered.sum(axis=(1, 2)) > 20).all()
    edge = np.concatenate([covered[:, 0], covered[:, -1], covered[:, :, 0], covered[:, :, -1]], 1)
    assert (edge > 0).mean() < 0.2


@pytest.mark.parametrize("name", ["n_train", "n_test", "seed"])
@pytest.mark.parametrize("value", [-1, 2**63, 1.5, "10", None, True, float("nan"), [3]])
def test_wrong_arguments_are_named(name, value):
    with pytest.raises((TypeError, ValueError), match=rf"shapes10\.load_data: {name} must be"):
        shapes10.load_data(**{"n_train": 1, "n_test": 1, name: value})


def test_limits():
    for name in ("n_train", "n_test"):
        for value in (0, 1_000_001):
            with pytest.raises(ValueError, match=f"{name} must be from 1 to 1000000, got {value}"):
                shapes10.load_data(**{name: value})
    shapes10.load_data(np.int64(1), np.uint8(1), seed=2**63 - 1)
