"""Gradients of convolution and max pooling from the cells that won, against PyTorch's."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from pyconv import backend

# x (N, H, W, C), filters, kernel, strides, (top, bottom, left, right), dilation
CASES = [
    ((5, 8, 8, 3), 16, (2, 2), (1, 1), (0, 1, 0, 1), (1, 1)),
    ((9, 16, 16, 16), 33, (2, 2), (1, 1), (0, 1, 0, 1), (1, 1)),  # images together
    ((4, 70, 66, 8), 5, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),  # rows of one
    ((4, 31, 40, 33), 7, (3, 5), (1, 1), (3, 0, 1, 4), (1, 1)),
    ((6, 29, 31, 3), 9, (2, 3), (2, 2), (1, 1, 2, 0), (1, 1)),
    ((4, 64, 64, 2), 4, (1, 1), (3, 2), (0, 0, 0, 0), (1, 1)),  # pixels that nothing reads
    ((7, 20, 19, 5), 17, (3, 2), (1, 1), (2, 2, 1, 1), (2, 3)),
    ((4, 90, 90, 4), 8, (3, 3), (2, 1), (0, 2, 2, 2), (3, 1)),
    ((33, 5, 5, 1), 1, (2, 2), (1, 1), (0, 0, 0, 0), (1, 1)),  # odd maps
    ((4, 3, 3, 100), 40, (2, 2), (1, 1), (0, 0, 0, 0), (1, 1)),
]


def run(case, activation, rng):
    shape, filters, kernel, strides, pads, dilation = case
    # Small integers: their sums are exact in any order.
    x, w = (
        rng.integers(-2, 3, s).astype(np.float32) for s in (shape, (*kernel, shape[3], filters))
    )
    b = rng.integers(-2, 3, filters).astype(np.float32)
    tx, tw, tb = (torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in (x, w, b))
    padded = functional.pad(tx.permute(0, 3, 1, 2), (*pads[2:], *pads[:2]))
    maps = functional.conv2d(padded, tw.permute(3, 2, 0, 1), tb, strides, 0, dilation)
    maps = torch.relu(maps) if activation == "relu" else maps
    pooled = functional.max_pool2d(maps, 2).permute(0, 2, 3, 1)
    dy = rng.integers(-3, 4, pooled.shape).astype(np.float32)
    pooled.backward(torch.tensor(dy, dtype=torch.float64))

    arguments = (strides, pads, dilation, 1, activation, (2, 2), (2, 2), (0,) * 4)
    winners = backend.empty(dy.shape, np.float32)
    y = backend.active.conv2d_maxpool2d_forward(x, w, b, *arguments, None, winners)
    gradients = [backend.on_device(np.full_like(a, np.nan)) for a in (x, w, b)]
    backend.active.conv2d_maxpool2d_backward(x, w, y, winners, dy, *arguments, *gradients)
    return list(map(np.asarray, [y, *gradients])), [pooled.detach(), tx.grad, tw.grad, tb.grad]


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradients(case, activation, isa):
    ours, expected = run(case, activation, np.random.default_rng(1))
    for got, wanted in zip(ours, expected, strict=True):
        assert np.array_equal(got, wanted.numpy())


@pytest.mark.cpu
@pytest.mark.parametrize("count", [2, 3, 7])
def test_same_bits_for_any_number_of_threads(count, threads):
    rng = np.random.default_rng(2)
    x, w = (rng.standard_normal(s, np.float32) for s in ((37, 17, 17, 3), (2, 3, 3, 20)))
    arguments = ((1, 1), (0, 1, 1, 1), (1, 1), 1, "relu", (2, 2), (2, 2), (0,) * 4)

    def gradients():
        winners = backend.empty((37, 8, 8, 20), np.float32)
        y = backend.active.conv2d_maxpool2d_forward(x, w, None, *arguments, None, winners)
        results = [np.empty_like(a) for a in (x, w, w[0, 0, 0])]
        backend.active.conv2d_maxpool2d_backward(x, w, y, winners, y, *arguments, *results)
        return [a.tobytes() for a in results]

    threads(1)
    one = gradients()
    threads(count)
    assert gradients() == one


def test_gradients_of_some_only():
    rng = np.random.default_rng(3)
    x, w = (rng.standard_normal(s, np.float32) for s in ((5, 9, 9, 3), (2, 2, 3, 8)))
    arguments = ((1, 1), (0, 0, 0, 0), (1, 1), 1, "relu", (2, 2), (2, 2), (0,) * 4)
    winners = backend.empty((5, 4, 4, 8), np.float32)
    y = backend.active.conv2d_maxpool2d_forward(x, w, None, *arguments, None, winners)
    given = (x, w, y, winners, y, *arguments)
    names = {"dx": x, "dw": w, "db": w[0, 0, 0]}
    all_of_them = {name: backend.empty(a.shape, np.float32) for name, a in names.items()}
    backend.active.conv2d_maxpool2d_backward(*given, **all_of_them)
    for name, a in names.items():
        alone = backend.empty(a.shape, np.float32)
        backend.active.conv2d_maxpool2d_backward(*given, **{name: alone})
        assert np.array_equal(alone, all_of_them[name])


@pytest.mark.cpu  # a device multiplies the zeros of the maps' gradient
def test_an_infinity_where_nothing_won_is_not_multiplied():
    x = np.ones((4, 2, 2, 1), np.float32)
    x[:, 0, 0] = -np.inf
    w = np.ones((1, 1, 1, 1), np.float32)
    arguments = ((1, 1), (0,) * 4, (1, 1), 1, "linear", (2, 2), (2, 2), (0,) * 4)
    winners = np.full((4, 1, 1, 1), 3, np.float32)
    dw = np.empty_like(w)
    backend.active.conv2d_maxpool2d_backward(
        x, w, winners, winners, np.ones_like(winners), *arguments, None, dw
    )
    assert dw.item() == 4
