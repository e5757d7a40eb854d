"""Convolution and max pooling in one pass: the same maps, bit for bit, and gradients as one after
the other."""

import numpy as np
import pytest

import pyconv
from pyconv import backend, layers

# x (N, H, W, C), filters, kernel, padding, pool, strides of the pool, padding of the pool
CASES = [
    ((5, 8, 8, 3), 16, 2, "same", 2, 2, "valid"),
    ((33, 6, 7, 16), 17, 3, "same", 3, 2, "same"),
    ((4, 9, 9, 4), 5, 3, "valid", (2, 3), 1, "valid"),
    ((1, 16, 16, 32), 32, 3, "same", 2, 2, "valid"),
    ((3, 9, 11, 5), 19, 3, "same", 2, 2, "valid"),
    ((2, 7, 6, 3), 33, (5, 3), ((2, 1), (3, 4)), 2, 2, "valid"),
    ((2, 5, 8, 2), 8, (1, 4), "valid", 2, 2, "valid"),
    ((3, 13, 11, 16), 16, 3, "same", 2, 2, "valid"),
    ((0, 8, 8, 3), 4, 2, "same", 2, 2, "valid"),
]


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_two_layers(case, activation, isa, threads):
    shape, filters, kernel, padding, pool, strides, pool_padding = case
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape, np.float32)

    def results(join, count):
        threads(count)
        pyconv.utils.set_random_seed(1)
        first = layers.Conv2D(filters, kernel, padding=padding, activation=activation)
        # The first layer of a model needs no gradient of its input: here the second one does.
        stack = [layers.Conv2D(3, 1), first, layers.MaxPooling2D(pool, strides, pool_padding)]
        model = pyconv.Sequential([pyconv.Input(shape[1:]), *stack])
        first.bias[:] = rng_bias
        if not join:
            model._steps_of, model._steps_made = list(model.layers), list(model.layers)
        predicted = model(x)
        y = model._forward(x, training=True)
        dy = backend.on_device(np.random.default_rng(4).standard_normal(y.shape, np.float32))
        result = [y.copy(), predicted]
        model._backward(dy)
        return result + [g.copy() for layer in model.layers for g in layer.grads]

    rng_bias = rng.standard_normal(filters, np.float32)
    two = results(False, 1)
    for count in (1, 2, 3):
        one = results(True, count)
        for ours, expected in zip(one[:2], two[:2], strict=True):
            assert ours.tobytes() == expected.tobytes()
        for ours, expected in zip(one[2:], two[2:], strict=True):  # sums in another order
            np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-4)
        assert [r.tobytes() for r in one] == [r.tobytes() for r in results(True, 1)]


@pytest.mark.parametrize(
    ("strides", "dilation"), [((2, 1), (1, 1)), ((1, 3), (1, 1)), ((1, 1), (2, 3))]
)
def test_steps_of_windows_and_of_cells(strides, dilation, isa):
    rng = np.random.default_rng(5)
    x, w = (rng.standard_normal(shape, np.float32) for shape in ((2, 13, 17, 3), (3, 2, 3, 5)))
    geometry = (strides, (1, 2, 2, 1), dilation, 1, "relu")
    pool = ((2, 2), (2, 2), (0, 0, 0, 0))
    maps = backend.active.conv2d_forward(x, w, None, *geometry)
    expected = backend.active.maxpool2d_forward(maps, *pool)
    winners = backend.empty(expected.shape, np.float32)
    y = backend.active.conv2d_maxpool2d_forward(x, w, None, *geometry, *pool, winners=winners)
    assert np.array_equal(y, expected)
    dy = rng.standard_normal(y.shape, np.float32)
    dx = backend.empty(x.shape, np.float32)
    backend.active.conv2d_maxpool2d_backward(x, w, y, winners, dy, *geometry, *pool, dx)
    spread = backend.active.relu_backward(maps, backend.active.maxpool2d_backward(maps, dy, *pool))
    expected = backend.active.conv2d_backward_input(spread, w, x.shape, *geometry[:-1])
    assert np.array_equal(dx, expected)


def test_winners_name_cells_of_the_image():
    x = np.zeros((1, 3, 3, 1), np.float32)
    x[0, 1, 1] = 5
    identity = np.ones((1, 1, 1, 1), np.float32)
    winners = backend.empty((1, 2, 2, 1), np.float32)
    y = backend.active.conv2d_maxpool2d_forward(
        x, identity, None, (1, 1), (0,) * 4, (1, 1), 1, "linear", (2, 2), (2, 2), (0, 1, 0, 1),
        winners=winners,
    )  # fmt: skip
    assert y.reshape(2, 2).tolist() == [[5, 0], [0, 0]]
    assert winners.reshape(2, 2).tolist() == [[3, 0], [0, 0]]
    dx = backend.empty(x.shape, np.float32)
    backend.active.conv2d_maxpool2d_backward(
        x, identity, y, winners, np.full_like(y, 7), (1, 1), (0,) * 4, (1, 1), 1, "linear", (2, 2),
        (2, 2), (0, 1, 0, 1), dx,
    )  # fmt: skip
    assert dx.reshape(3, 3).tolist() == [[0, 0, 7], [0, 7, 0], [7, 0, 7]]


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize(("c", "oc", "kernel"), [(3, 16, 2), (16, 33, 2), (16, 16, 3)])
def test_equal_cells_infinite_ones_and_nan(c, oc, kernel, activation, isa):
    rng = np.random.default_rng(6)
    x = rng.integers(-1, 2, (2, 16, 16, c)).astype(np.float32)  # many cells of a window are equal
    x[0, 3, 5, 1], x[0, 9, 2, 0], x[1, 4, 4, 2] = np.nan, np.inf, -np.inf
    w = rng.integers(-1, 2, (kernel, kernel, c, oc)).astype(np.float32)
    b = rng.integers(-1, 2, oc).astype(np.float32)
    b[:4] = np.inf, -np.inf, np.nan, -0.0
    geometry = ((1, 1), (0, kernel - 1, 0, kernel - 1), (1, 1), 1, activation)
    pool = ((2, 2), (2, 2), (0, 0, 0, 0))
    maps = backend.active.conv2d_forward(x, w, b, *geometry)
    cells = [maps[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    expected, first = cells[0].copy(), np.zeros_like(cells[0])
    for i in (1, 2, 3):  # the first of the largest, and NaN above all
        better = (cells[i] > expected) | np.isnan(cells[i])
        expected[better], first[better] = cells[i][better], i
    assert np.isnan(expected).any()
    assert np.isinf(expected).any()
    winners = backend.empty(expected.shape, np.float32)
    for asked in (None, winners):
        y = backend.active.conv2d_maxpool2d_forward(x, w, b, *geometry, *pool, winners=asked)
        assert np.array_equal(y, expected, equal_nan=True)
    assert np.array_equal(winners, first)
