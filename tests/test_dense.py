"""dense and its gradients against float64."""

import numpy as np
import pytest
import reference
import torch

from pyconv import ops


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 13, 32, 100, 193, 600])
@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (17, 16), (130, 33), (1024, 10), (300, 500)])
def test_forward_and_gradients(isa, n, inputs, units):
    rng = np.random.default_rng(6)
    x = rng.standard_normal((n, inputs), np.float32)
    w = rng.standard_normal((inputs, units), np.float32)
    b = rng.standard_normal(units, np.float32)
    dy = rng.standard_normal((n, units), np.float32)
    results = []
    for dtype in (torch.float64, torch.float32):
        xt, wt, bt, dyt = (torch.tensor(v, dtype=dtype) for v in (x, w, b, dy))
        results.append([v.numpy() for v in (xt @ wt + bt, dyt @ wt.T, xt.T @ dyt, dyt.sum(0))])
    got = (ops.dense(x, w, b), *ops.dense_backward(x, w, dy))
    for ours, exact, approximate in zip(got, *results, strict=True):
        reference.check(ours, exact, approximate)
    assert np.array_equal(ops.dense(x, w, b, activation="relu"), np.maximum(got[0], 0))


def test_errors():
    x, w = np.ones((2, 3), np.float32), np.ones((4, 5), np.float32)
    with pytest.raises(ValueError, match="dense.*w must be"):
        ops.dense(x, w)
    with pytest.raises(TypeError, match="astype"):
        ops.dense(x.astype(int), w)
