"""Normalization by numbers that are given, or taken from data."""

import numpy as np
import pytest
from layer_reference import batch, passes

import pyconv
from pyconv import layers


@pytest.mark.parametrize("axis", [-1, None, (1, 3), 2])
@pytest.mark.parametrize("invert", [False, True])
def test_normalization(axis, invert):
    x = (batch(200, 4, 5, 3) * 3 + 2).astype("f4")
    layer = layers.Normalization(axis, invert=invert)
    layer.adapt(iter([x[:90], x[90:]]) if axis == 2 else x)
    given = () if axis is None else axis if isinstance(axis, tuple) else (axis,)
    others = tuple(i for i in range(4) if i not in [a % 4 for a in given])
    wide = x.astype(np.float64)
    mean, deviation = wide.mean(others, keepdims=True), wide.std(others, keepdims=True)
    wanted = mean + wide * deviation if invert else (wide - mean) / deviation
    np.testing.assert_allclose(layer(x), wanted, rtol=1e-4, atol=1e-4)
    dy, _, dx, _ = passes(layer, x)
    np.testing.assert_allclose(dx, dy * deviation if invert else dy / deviation, rtol=1e-4)
    assert not layer.trainable_weights
    again = layers.Normalization.from_config(layer.get_config())
    again.build(x.shape)
    again.set_weights(layer.get_weights())
    assert np.array_equal(again(x), layer(x))


def test_normalization_of_given_numbers():
    layer = layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 9.0])
    assert layer([[3.0, 5.0]]).tolist() == [[1, 1]]
    assert not layer.weights
    with pytest.raises(ValueError, match="Cannot `adapt`"):
        layer.adapt([[1.0, 2.0]])


def test_adapt_takes_batches():
    x = np.random.default_rng(1).random((64, 5)).astype(np.float32)
    parts = [x[i : i + 16] for i in range(0, 64, 16)]

    class Batches:
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return parts[i], np.zeros(16), np.ones(16)

    for data in (x, x.tolist(), parts, iter(parts), [(p, np.zeros(16)) for p in parts], Batches()):
        layer = pyconv.layers.Normalization()
        layer.adapt(data)
        np.testing.assert_allclose(np.ravel(layer.mean), x.mean(0), rtol=1e-5)
        np.testing.assert_allclose(np.ravel(layer.variance), x.var(0), rtol=1e-5)
    # Called on another number of axes, the last of which is the same.
    assert layer(np.ones((2, 3, 5))).shape == (2, 3, 5)
    layer = pyconv.layers.Normalization(axis=(1, 2), mean=np.arange(5.0), variance=np.ones(5))
    layer.build((2, 7, 5, 3))
    np.testing.assert_array_equal(
        layer.mean, np.broadcast_to(np.arange(5.0).reshape(1, 1, 5, 1), (1, 7, 5, 1))
    )


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        ([], ValueError, "an empty iterable"),
        (iter(()), ValueError, "an empty iterable"),
        (iter([42]), TypeError, "a `.shape`"),
        (iter([np.ones((2, 4)), np.ones((2, 6))]), ValueError, "an incompatible shape"),
    ],
)
def test_adapt_of_what_is_no_data(data, error, text):
    with pytest.raises(error, match=text):
        pyconv.layers.Normalization().adapt(data)
