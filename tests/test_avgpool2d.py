"""avg_pool2d and global_avg_pool2d against torch in float64."""

import numpy as np
import pytest
import reference
import torch

from pyconv import ops


@pytest.mark.parametrize(("pool", "strides", "pad"), [(2, 2, 0), (3, 2, 1), (3, 1, 1), (1, 3, 0)])
def test_forward_and_gradient(isa, pool, strides, pad):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((2, 9, 7, 19), np.float32)
    y = ops.avg_pool2d(x, pool, strides, pad)
    dy = rng.standard_normal(y.shape, np.float32)
    dx = ops.avg_pool2d_backward(x, dy, pool, strides, pad)
    results = []
    for dtype in (torch.float64, torch.float32):
        t = reference.nchw(x, dtype).requires_grad_()
        out = torch.nn.functional.avg_pool2d(t, pool, strides, pad, count_include_pad=False)
        out.backward(reference.nchw(dy, dtype))
        results.append((reference.nhwc(out), reference.nhwc(t.grad)))
    for got, exact, approximate in zip((y, dx), *results, strict=True):
        reference.check(got, exact, approximate)
    assert np.array_equal(ops.avg_pool2d_backward(x.shape, dy, pool, strides, pad), dx)


def test_global(isa):
    x = np.random.default_rng(5).standard_normal((3, 20, 21, 13), np.float32)
    exact = x.astype(float).mean((1, 2))
    reference.check(ops.global_avg_pool2d(x), exact, x.mean((1, 2)))
    dy = np.ones((3, 13), np.float32)
    assert np.allclose(ops.global_avg_pool2d_backward(dy, x.shape), 1 / 420, rtol=1e-6)
