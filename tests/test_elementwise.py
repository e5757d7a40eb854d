"""ReLU, softmax, cross-entropy and dropout."""

import numpy as np
import pytest
import reference
import torch

from pyconv import ops


def test_relu_is_bit_equal_to_torch(isa):
    x = np.array([-1, -0.0, 0, 2, np.nan, np.inf, -np.inf] * 5, np.float32)
    assert ops.relu(x).tobytes() == torch.relu(torch.tensor(x)).numpy().tobytes()
    dy = np.arange(1, 36, dtype=np.float32)
    expected = np.where(ops.relu(x) <= 0, 0, dy)
    assert np.array_equal(ops.relu_backward(ops.relu(x), dy), expected)


@pytest.mark.parametrize("shape", [(1, 1), (4, 10), (33, 1000), (3, 2500)])
def test_softmax(shape):
    rng = np.random.default_rng(7)
    x, dy = (10 * rng.standard_normal(shape)).astype(np.float32), rng.standard_normal(shape)
    dy = dy.astype(np.float32)
    y = ops.softmax(x)
    results = []
    for dtype in (torch.float64, torch.float32):
        t = torch.tensor(x, dtype=dtype, requires_grad=True)
        out = torch.softmax(t, -1)
        out.backward(torch.tensor(dy, dtype=dtype))
        results.append((out.detach().numpy(), t.grad.numpy()))
    reference.check(y, results[0][0], results[1][0])
    reference.check(ops.softmax_backward(y, dy), results[0][1], results[1][1])


@pytest.mark.parametrize("c", [10, 2500])
@pytest.mark.parametrize("kind", ["classes", "column", "distributions"])
def test_softmax_cross_entropy(kind, c):
    rng = np.random.default_rng(8)
    x = (5 * rng.standard_normal((17, c))).astype(np.float32)
    classes = rng.integers(0, c, 17)
    labels = np.eye(c, dtype=np.float32)[classes]
    t = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    exact = torch.nn.functional.cross_entropy(t, torch.tensor(classes), reduction="none")
    exact.sum().backward()
    given = {"classes": classes, "column": classes[:, None], "distributions": labels}[kind]
    loss, grad = ops.softmax_cross_entropy(x, given)
    assert np.allclose(loss, exact.detach().numpy(), rtol=1e-6, atol=1e-7)
    assert np.allclose(grad, t.grad.numpy(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("labels", [np.array([0, 10]), np.array([-1, 0]), np.array([[0, 1]])])
def test_wrong_labels(labels):
    with pytest.raises(ValueError, match="softmax_cross_entropy: labels"):
        ops.softmax_cross_entropy(np.zeros((2, 10), np.float32), labels)


def test_dropout(isa):
    x = np.ones(100_003, np.float32)
    y = ops.dropout(x, 0.3, seed=5)
    assert set(np.unique(y)) == {0, np.float32(1 / 0.7)}
    assert abs((y == 0).mean() - 0.3) < 0.01
    assert np.array_equal(ops.dropout(x[:777], 0.3, seed=5), y[:777])
    assert not np.array_equal(ops.dropout(x, 0.3, seed=6), y)
    assert not ops.dropout(x, 1.0, seed=5).any()
    # The first words of Philox4x32-10 for key 5, counters 0 to 15, agree on all instruction sets.
    assert y[:8].astype(bool).tolist() == ops.dropout(x[:8], 0.3, seed=5).astype(bool).tolist()
