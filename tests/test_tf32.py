"""set_float32_precision("high"): operands rounded to TF32 on a device, nothing on the CPU."""

import numpy as np
import pytest
import reference
import torch

import pyconv
from pyconv import backend, ops

# x (N, H, W, C), OC, kernel, stride, dilation; sizes straddle the tiles of 64 and 128, and the
# slices of 16.
CASES = [
    ((2, 9, 9, 16), 64, 3, 1, 1),
    ((3, 8, 11, 20), 36, 2, 1, 1),
    ((1, 23, 7, 8), 132, 3, 2, 1),
    ((2, 13, 13, 4), 68, 3, 3, 2),
    ((4, 17, 16, 36), 128, 1, 1, 1),
]


@pytest.fixture(autouse=True)
def high():
    pyconv.set_float32_precision("high")
    yield
    pyconv.set_float32_precision("highest")


def tf32(a):
    """The nearest values with 10 bits of mantissa, ties away from zero."""
    return ((a.view(np.uint32) + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32)


def check(got, operands, product):
    """``got`` is the product of rounded operands on a device, and of these on the CPU."""
    exact, rounded = product(*operands), product(*map(tf32, operands))
    scale = np.abs(exact).max()
    assert np.abs(rounded - exact).max() > 5e-5 * scale  # the two can be told apart
    wanted = exact if backend.active is backend.cpu else rounded
    assert np.abs(got - wanted).max() < 2e-5 * scale


@pytest.mark.parametrize(("shape", "oc", "kernel", "stride", "dilation"), CASES)
def test_conv2d(shape, oc, kernel, stride, dilation):
    rng = np.random.default_rng(1)
    x = rng.standard_normal(shape, dtype="f4")
    w = rng.standard_normal((kernel, kernel, shape[3], oc), dtype="f4")
    pads = [reference.same(size, kernel, stride, dilation) for size in shape[1:3]]
    options = {"strides": stride, "padding": "same", "dilation": dilation}
    y = ops.conv2d(x, w, **options)
    dy = rng.standard_normal(y.shape, dtype="f4")

    def torch_of(x, w, dy):
        strides, dilations = (stride, stride), (dilation, dilation)
        flat = (*pads[0], *pads[1])
        return reference.conv2d(x, w, None, dy, strides, flat, dilations, 1, torch.float64)

    check(y, (x, w), lambda x, w: torch_of(x, w, dy)[0])
    dx = ops.conv2d_backward_input(dy, w, shape, **options)
    check(dx, (dy, w), lambda dy, w: torch_of(x, w, dy)[1])
    dw = ops.conv2d_backward_filter(x, dy, kernel, **options)
    check(dw, (x, dy), lambda x, dy: torch_of(x, w, dy)[2])


@pytest.mark.parametrize(("n", "units"), [(1, 128), (32, 1000), (65, 12), (130, 64)])
def test_dense(n, units):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((n, 100), dtype="f4")
    w = rng.standard_normal((100, units), dtype="f4")
    b = rng.standard_normal(units, dtype="f4")
    got = ops.dense(x, w, b, activation="relu")
    check(got, (x, w), lambda x, w: np.maximum(x.astype("f8") @ w.astype("f8") + b, 0))


def test_three_channels_stay_in_float32():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, 8, 8, 3), dtype="f4")
    w = rng.standard_normal((3, 3, 3, 16), dtype="f4")
    high = ops.conv2d(x, w)
    pyconv.set_float32_precision("highest")
    np.testing.assert_array_equal(high, ops.conv2d(x, w))


@pytest.mark.parametrize("precision", ["high", "highest"])
def test_largest_tiles(precision):
    """Enough rows, columns and terms that each pass takes the largest tile of its table."""
    pyconv.set_float32_precision(precision)
    rng = np.random.default_rng(4)
    x = rng.standard_normal((8, 32, 32, 256), dtype="f4")
    w = rng.standard_normal((1, 1, 256, 128), dtype="f4")
    dy = rng.standard_normal((8, 32, 32, 128), dtype="f4")
    got = (
        ops.conv2d(x, w),
        ops.conv2d_backward_input(dy, w, x.shape),
        ops.conv2d_backward_filter(x, dy, 1),
    )
    on_device = backend.active is not backend.cpu
    rounded = tf32 if precision == "high" and on_device else lambda a: a
    a, b, g = (rounded(m).astype("f8") for m in (x, w[0, 0], dy))
    rows, grads = a.reshape(-1, 256), g.reshape(-1, 128)
    for ours, truth in zip(got, (rows @ b, grads @ b.T, rows.T @ grads), strict=True):
        error = np.abs(ours.reshape(truth.shape) - truth).max()
        assert error < 2e-5 * np.abs(truth).max()
