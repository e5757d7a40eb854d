"""dense and its gradients where activations have many zeros: these are left out of the sums, which
are the same numbers as those of all values."""

import numpy as np
import pytest
import reference
import torch

from pyconv import ops

SHAPES = [
    (8, 64, 128),
    (32, 1024, 500),
    (33, 130, 129),
    (200, 300, 131),
    (16, 200, 40),
    (40, 10, 300),
]


def activations(rng, shape, density):
    return rng.standard_normal(shape, np.float32) * (rng.random(shape) < density)


@pytest.mark.parametrize("density", [0, 0.02, 0.3, 0.7, 0.8])
@pytest.mark.parametrize(("n", "inputs", "units"), SHAPES)
def test_forward_and_gradients(isa, n, inputs, units, density):
    rng = np.random.default_rng(7)
    x, dy = activations(rng, (n, inputs), density), activations(rng, (n, units), density)
    w, b = (rng.standard_normal(s, np.float32) for s in ((inputs, units), units))
    results = []
    for dtype in (torch.float64, torch.float32):
        xt, wt, bt, dyt = (torch.tensor(v, dtype=dtype) for v in (x, w, b, dy))
        results.append([v.numpy() for v in (xt @ wt + bt, dyt @ wt.T, xt.T @ dyt)])
    got = (ops.dense(x, w, b), *ops.dense_backward(x, w, dy)[:2])
    for ours, exact, approximate in zip(got, *results, strict=True):
        reference.check(ours, exact, approximate)
    assert np.array_equal(ops.dense(x, w, b, activation="relu"), np.maximum(got[0], 0))


@pytest.mark.parametrize(("n", "inputs", "units"), SHAPES[:4])
def test_bits_do_not_depend_on_what_else_is_zero(isa, n, inputs, units):
    """A sample alone, which is multiplied as it is, gives what it gives in a batch of zeros."""
    rng = np.random.default_rng(8)
    x = activations(rng, (n, inputs), 0.5)
    w, b = (rng.standard_normal(s, np.float32) for s in ((inputs, units), units))
    together = ops.dense(x, w, b)
    for i in range(0, n, 7):
        assert np.array_equal(ops.dense(x[i : i + 1], w, b)[0], together[i])
    dense = x.copy()
    dense[x == 0] = 1e-38  # too little to change a sum
    for ours, all_values in zip(
        ops.dense_backward(x, w, together), ops.dense_backward(dense, w, together), strict=True
    ):
        np.testing.assert_allclose(ours, all_values, rtol=0, atol=1e-35)


def test_same_bits_for_any_number_of_threads(threads):
    rng = np.random.default_rng(9)
    x, dy = activations(rng, (50, 700), 0.4), activations(rng, (50, 300), 0.3)
    w = rng.standard_normal((700, 300), np.float32)
    results = []
    for count in (1, 2, 5):
        threads(count)
        results.append([a.tobytes() for a in (ops.dense(x, w), *ops.dense_backward(x, w, dy))])
    assert results[0] == results[1] == results[2]
