"""max_pool2d: bit-equal to torch, ties and NaN included."""

import numpy as np
import pytest
import reference
import torch

from pyconv import ops


@pytest.mark.parametrize("c", [1, 3, 16, 37])
@pytest.mark.parametrize(("pool", "strides"), [(2, 2), (3, 2), ((2, 3), (1, 2)), (1, 3)])
def test_equal_to_torch(isa, c, pool, strides):
    x = np.random.default_rng(2).standard_normal((2, 9, 7, c)).round(1).astype(np.float32)
    x[0, 1:3, 2:4, 0] = np.nan
    t = reference.nchw(x, torch.float32).requires_grad_()
    expected = torch.nn.functional.max_pool2d(t, pool, strides)
    y = ops.max_pool2d(x, pool, strides)
    assert np.array_equal(y, reference.nhwc(expected), equal_nan=True)
    dy = np.random.default_rng(3).standard_normal(y.shape, np.float32)
    expected.backward(reference.nchw(dy, torch.float32))
    dx = ops.max_pool2d_backward(x, dy, pool, strides)
    assert np.array_equal(dx, reference.nhwc(t.grad))


def test_same_pads_with_minus_infinity():
    x = -np.ones((1, 3, 3, 1), np.float32)
    assert (ops.max_pool2d(x, 2, padding="same") == -1).all()


def test_course():
    a = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]], np.float32)
    assert ops.max_pool2d(a.reshape(1, 4, 4, 1), 2)[0, :, :, 0].tolist() == [[6, 8], [3, 4]]
    b = np.array([[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]], np.float32)
    assert ops.max_pool2d(b.reshape(1, 4, 4, 1), 2)[0, :, :, 0].tolist() == [[9, 2], [6, 3]]
    assert ops.avg_pool2d(b.reshape(1, 4, 4, 1), 2)[0, :, :, 0].tolist() == [
        [3.75, 1.25],
        [3.75, 2],
    ]


def test_windows_in_the_padding_alone_are_an_error():
    with pytest.raises(ValueError, match="max_?pool2d.*padding"):
        ops.max_pool2d(np.ones((1, 4, 4, 1), np.float32), 2, padding=2)
