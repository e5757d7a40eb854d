"""to_categorical, decode_top_k, normalize and set_random_seed."""

import random

import numpy as np
import pytest

import pyconv
from pyconv.utils import decode_top_k, normalize, set_random_seed, to_categorical


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32"])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (2, 3), (2, 3, 1)], ids=str)
def test_to_categorical(dtype, shape):
    labels = np.random.default_rng(0).integers(0, 4, shape).astype(dtype)
    got = to_categorical(labels, 4)
    assert got.dtype == np.float32
    expected = np.eye(4)[labels.astype(int)]
    if shape[-1] == 1:
        expected = expected[..., 0, :]
    assert np.array_equal(got, expected)


def test_the_number_of_classes_by_default():
    assert to_categorical([0, 3, 1]).shape == (3, 4)
    assert to_categorical(np.array(2)).tolist() == [0, 0, 1]
    assert to_categorical([], 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("x", "classes", "error", "text"),
    [
        ([0, 4], 4, ValueError, "x must hold class numbers from 0 to 3, got 4 at row 1"),
        ([-1, 0], None, ValueError, "x must hold class numbers 0 or above, got -1"),
        ([0.5], None, ValueError, "x must hold class numbers, got 0.5"),
        ([float("nan")], None, ValueError, "x must hold class numbers, got nan"),
        (["a"], None, TypeError, "x must be an array of numbers"),
        ([], None, ValueError, "num_classes must be given where x is empty"),
        ([0], 0, ValueError, "num_classes must be a positive"),
        ([0], 2.0, TypeError, "num_classes must be an integer"),
    ],
)
def test_wrong_classes(x, classes, error, text):
    with pytest.raises(error, match=f"to_categorical: {text}"):
        to_categorical(x, classes)


@pytest.mark.parametrize("order", [1, 2, 3, float("inf")])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_normalize(axis, order):
    x = np.random.default_rng(1).standard_normal((4, 5))
    exact = x / np.linalg.norm(x, order, axis, keepdims=True)
    np.testing.assert_allclose(normalize(x, axis, order), exact, rtol=1e-7)


def test_normalize_leaves_zeros():
    assert normalize([[0, 0], [3, 4]]).tolist() == [[0, 0], [np.float32(0.6), np.float32(0.8)]]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (([1], 1), ValueError, "axis must be from -1 to 0"),
        (([1], 0, 0), ValueError, "order must be above 0"),
        (([1], 0, float("nan")), ValueError, "order must be from 0"),
        ((["a"],), TypeError, "x must be an array of numbers"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    with pytest.raises(error, match=f"normalize: {text}"):
        normalize(*arguments)


def test_set_random_seed():
    drawn = []
    for seed in (5, 5, 6):
        set_random_seed(seed)
        weights = pyconv.initializers.HeNormal()((3, 3)).tobytes()
        drawn.append((random.random(), np.random.rand(), weights))
    assert drawn[0] == drawn[1]
    assert all(a != b for a, b in zip(drawn[0], drawn[2], strict=True))


@pytest.mark.parametrize(
    ("seed", "error"), [(-1, ValueError), (2**32, ValueError), (0.5, TypeError), (None, TypeError)]
)
def test_wrong_seeds(seed, error):
    with pytest.raises(error, match="set_random_seed: seed must be"):
        set_random_seed(seed)


def test_decode_top_k():
    names = ["scale", "t-shirt", "steel drum", "drumstick", "mud turtle", "giant panda"]
    scores = [[0.125, 0.25, 0.5, 0.0625, 0, 0.0625], [0.5, 0.5, np.nan, 0.25, 0.125, 0]]
    first, second = decode_top_k(scores, names)
    wanted = ["steel drum", "t-shirt", "scale", "drumstick", "giant panda"]
    assert [name for name, _ in first] == wanted
    assert [score for _, score in first] == [0.5, 0.25, 0.125, 0.0625, 0.0625]
    assert [name for name, _ in second] == ["scale", "t-shirt", *names[3:]]
    # The course's two pictures: "steel drum" is among the five of one.
    assert ["steel drum" in dict(row) for row in (first, second)] == [True, False]
    assert decode_top_k(np.array([[0, 3, 3]], np.uint8), "abc", 1) == [[("b", 3.0)]]
    assert decode_top_k(np.zeros((0, 3)), "abc", 3) == []


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (([1, 2], "ab"), ValueError, r"predictions must be \(N, 2\), .* got shape \(2,\)"),
        (([[1, 2]], "abc"), ValueError, r"predictions must be \(N, 3\), .* got shape \(1, 2\)"),
        (([["x", "y"]], "ab"), TypeError, "predictions must be an array of numbers"),
        (([[1, 2]], "ab", 3), ValueError, "k must be from 1 to 2, got 3"),
        (([[1, 2]], "ab", 1.5), TypeError, "k must be an integer"),
    ],
)
def test_wrong_predictions(arguments, error, text):
    with pytest.raises(error, match=f"decode_top_k: {text}"):
        decode_top_k(*arguments)
