"""The derivatives of numpy's and keras.ops' functions, against differences in float64."""

import numpy as np
import pytest

from pyconv.compat._autodiff import Taped, pull_back, watched
from pyconv.compat._derivatives import UFUNCS
from pyconv.compat.keras import activations, ops

A, B, V = (3, 4), (4, 2), (4,)
CASES = {
    "matmul": (lambda a, b: a @ b, A, B),
    "matmul of a vector": (lambda a, b: a @ b, V, B),
    "matmul by a vector": (lambda a, b: a @ b, A, V),
    "matmul of vectors": (lambda a, b: a @ b, V, V),
    "matmul of batches": (lambda a, b: a @ b, (5, 3, 4), B),
    "dot": (np.dot, A, B),
    "broadcast": (lambda a, b: np.maximum(a, b) * a / b - np.minimum(b, 1 - a), A, V),
    "sum": (lambda a: a.sum(1), A),
    "mean": (lambda a: np.mean(a, axis=(0, 1)), (3, 4, 2)),
    "max": (lambda a: np.max(a, axis=1, keepdims=True), A),
    "min": (lambda a: a.min(), A),
    "var": (lambda a: np.var(a, axis=-1), A),
    "std": (lambda a: a.std(), A),
    "norm": (lambda a: np.linalg.norm(a, axis=-1), A),
    "norm 1": (lambda a: np.linalg.norm(a, 1, -1), A),
    "concatenate": (lambda a, b: np.concatenate([a, 2 * b, a], 1), A, (3, 2)),
    "stack": (lambda a, b: np.stack([a, b], -1), A, A),
    "slice": (lambda a: a[:, 1:3] + a[:, ::-2], A),
    "rows": (lambda a: a[[0, 0, 1]], A),
    "where": (lambda a: np.where(a > 0, a, a * a), A),
    "clip": (lambda a: np.clip(a, -0.5, 0.5) * 2, A),
    "transpose": (lambda a: np.transpose(a, (2, 0, 1)), (2, 3, 4)),
    "T": (lambda a: a.reshape(4, 3).T * np.arange(4), A),
    "swapaxes": (lambda a: np.swapaxes(a, 0, 2), (2, 3, 4)),
    "moveaxis": (lambda a: np.moveaxis(a, 0, -1), (2, 3, 4)),
    "take": (lambda a: np.take(a, [1, 1], axis=1), A),
    "take of all": (lambda a: np.take(a, [1, 5]), A),
    "take_along_axis": (lambda a: np.take_along_axis(a, np.array([[1], [2], [0]]), 1), A),
    "repeat": (lambda a: np.repeat(a, 2, axis=1), A),
    "expand": (lambda a: np.squeeze(np.expand_dims(a, 1) ** 3, 1), A),
    "broadcast_to": (lambda a: np.broadcast_to(a, A), V),
    "flip": (lambda a: np.ravel(np.flip(a, 0)), A),
    "powers": (lambda a: 1 - a**3 + 2**a + a.flatten()[0], A),
    "softmax": (ops.softmax, A),
    "sigmoid": (ops.sigmoid, A),
    "softplus": (ops.softplus, A),
    "relu": (ops.relu, A),
    "erf": (ops.erf, A),
    "logsumexp": (lambda a: ops.logsumexp(a, axis=1), A),
    "normalize": (ops.normalize, A),
    "divide_no_nan": (lambda a: ops.divide_no_nan(a, a * a * [0, 1, 1, 1]), A),
    "cross-entropy": (lambda a: ops.categorical_crossentropy(np.eye(4)[:3], a, True), A),
    "class numbers": (
        lambda a: ops.sparse_categorical_crossentropy([1, 0, 2], ops.softmax(a)),
        A,
    ),
    "binary": (lambda a: ops.binary_crossentropy([[1.0, 0, 1, 0]], ops.sigmoid(a)), A),
}


def difference(function, arrays, i, weight):
    slope = np.zeros_like(arrays[i])
    for at in np.ndindex(*slope.shape):
        sides = []
        for step in (1e-6, -1e-6):
            moved = [array.copy() for array in arrays]
            moved[i][at] += step
            sides.append((np.asarray(function(*moved)) * weight).sum())
        slope[at] = (sides[0] - sides[1]) / 2e-6
    return slope


def check(function, *arrays):
    given = [watched(array) for array in arrays]
    y = function(*given)
    weight = np.random.default_rng(1).standard_normal(np.shape(y))
    np.testing.assert_array_equal(np.asarray(y), np.asarray(function(*arrays)))
    found = pull_back(y.node, weight)
    for i, x in enumerate(given):
        wanted = difference(function, arrays, i, weight)
        np.testing.assert_allclose(found[x.node], wanted, 1e-5, 1e-6)


@pytest.mark.parametrize("name", CASES)
def test_a_derivative_is_that_of_differences(name):
    function, *shapes = CASES[name]
    random = np.random.default_rng(0)
    check(function, *(random.standard_normal(shape) for shape in shapes))


@pytest.mark.parametrize("ufunc", [u for u in UFUNCS if u.nin == 1 and u.types[0][0] != "O"])
def test_a_function_of_one_number(ufunc):
    x = np.random.default_rng(0).random(5) + 0.25
    y = ufunc(watched(x))
    if isinstance(y, Taped) and y.node is not None:
        check(ufunc, x)
    else:  # steps and questions
        np.testing.assert_array_equal(ufunc(x + 1e-6), ufunc(x - 1e-6))


@pytest.mark.parametrize("name", ["relu", "elu", "softmax", "gelu", "tanh", "swish"])
def test_activations(name):
    x = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    function = getattr(activations, name)
    given = watched(x)
    weight = np.random.default_rng(1).standard_normal((3, 4))
    found = pull_back(function(given).node, weight)[given.node]
    for at in np.ndindex(3, 4):
        ends = []
        for step in (1e-2, -1e-2):
            moved = x.copy()
            moved[at] += step
            ends.append((np.asarray(function(moved), np.float64) * weight).sum())
        assert found[at] == pytest.approx((ends[0] - ends[1]) / 2e-2, abs=2e-3)


def test_an_unknown_derivative_is_an_error_where_a_gradient_passes():
    x = watched(np.ones(3))
    end = np.sum(np.cumprod(x) + x)
    with pytest.raises(NotImplementedError, match="numpy.cumprod: pyconv does not know its grad"):
        pull_back(end.node, 1.0)
    with pytest.raises(NotImplementedError, match="numpy.cumprod"):
        pull_back(np.cumprod(x).node, 1.0)
    with pytest.raises(NotImplementedError, match="numpy.add.accumulate: "):
        pull_back((x.cumsum() + 1).node, np.ones(3))


def test_a_constant_has_no_gradient():
    x = watched(np.ones(3))
    y = ops.stop_gradient(x) * x
    assert pull_back(y.node, np.ones(3))[x.node].tolist() == [1.0, 1.0, 1.0]


def test_a_change_in_place_gives_a_new_array():
    x = watched(np.ones(2))
    y = x
    y += 1
    assert x.tolist() == [1.0, 1.0]
    assert y.tolist() == [2.0, 2.0]
    assert pull_back(y.node, np.ones(2))[x.node].tolist() == [1.0, 1.0]
