"""Arrays begin where a line of the cache does: weights, gradients, states, results."""

import numpy as np
import pytest

import pyconv
from pyconv import _aligned, layers, ops


def line_of(array):
    return array.__array_interface__["data"][0] % _aligned.LINE


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (7, 0, 2), (1000, 999)])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, bool])
def test_arrays(shape, dtype):
    for make, like in ((_aligned.empty, np.empty), (_aligned.zeros, np.zeros)):
        array = make(shape, dtype)
        assert (array.shape, array.dtype) == (shape, dtype) == (array.shape, like(1, dtype).dtype)
        assert line_of(array) == 0
        assert array.flags.c_contiguous
        assert array.flags.writeable
    assert not array.any()
    values = np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)
    copy = _aligned.copy(values)
    assert line_of(copy) == 0
    assert copy.flags.c_contiguous
    assert np.array_equal(copy, values)
    assert not np.shares_memory(copy, values)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 64, 1000])
def test_results(n):
    y = ops.relu(np.ones((n, 3), np.float32))
    assert line_of(y) == 0
    assert y.shape == (n, 3)
    assert (y == 1).all()


def test_what_a_model_trains_with():
    model = pyconv.Sequential([layers.Input((8, 8, 3)), layers.Conv2D(5, 3), layers.Flatten(),
                               layers.Dense(3, activation="softmax")])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    model.fit(rng.random((8, 8, 8, 3), np.float32), rng.integers(0, 3, 8), epochs=1, verbose=0)
    arrays = [array for layer in model.layers for array in (*layer.weights, *layer.grads)]
    arrays += [np.asarray(variable) for variable in model.optimizer.variables]
    assert len([array for array in arrays if array.size > 1]) >= 12
    assert not any(line_of(array) for array in arrays if array.size > 1)
