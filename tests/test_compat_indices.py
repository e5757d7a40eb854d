"""Functions of TensorFlow that take and put what is at places of an array."""

import numpy as np
import pytest
import torch

import pyconv.compat.tensorflow as tf

rng = np.random.default_rng(0)
X = rng.normal(size=(3, 4, 2)).astype(np.float32)
FACTORS = rng.normal(size=(2, 5, 4)).astype(np.float32)


def gradients(function, *arrays):
    """The result and the gradients of what factors make of it, of pyconv."""
    variables = [tf.Variable(a) for a in arrays]
    with tf.GradientTape() as tape:
        y = function(*variables)
        loss = tf.reduce_sum(y * tf.constant(np.resize(FACTORS, y.shape)))
    return np.asarray(y), [np.asarray(g) for g in tape.gradient(loss, variables)]


def wanted(function, *arrays):
    """The same of torch."""
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = function(*tensors)
    (y * torch.tensor(np.resize(FACTORS, tuple(y.shape)))).sum().backward()
    return y.detach().numpy(), [t.grad.numpy() for t in tensors]


def same(found, right):
    np.testing.assert_allclose(found[0], right[0], rtol=1e-6)
    for a, b in zip(found[1], right[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_gather_nd():
    at = [[[0, 1], [2, 3]], [[0, 1], [1, 0]]]  # (0, 1) twice
    same(
        gradients(lambda x: tf.gather_nd(x, at), X),
        wanted(lambda x: torch.stack([torch.stack([x[i, j] for i, j in row]) for row in at]), X),
    )


def test_gather_nd_of_each_row():
    at = [[[3], [0]], [[1], [1]], [[2], [2]]]
    same(
        gradients(lambda x: tf.gather_nd(x, at, batch_dims=1), X),
        wanted(lambda x: torch.stack([x[i, np.ravel(a)] for i, a in enumerate(at)]), X),
    )


@pytest.mark.parametrize("kind", ["add", "sub", "update"])
def test_tensor_scatter_nd(kind):
    at = [[0, 1], [2, 3], [0, 0]] if kind == "update" else [[0, 1], [2, 3], [0, 1]]
    rows = tuple(torch.tensor(at).T)
    updates = X[0, :3]

    def of_torch(x, u):
        if kind == "update":
            return x.index_put(rows, u)
        return x.index_put(rows, u if kind == "add" else -u, accumulate=True)

    function = getattr(tf, f"tensor_scatter_nd_{kind}")
    same(
        gradients(lambda x, u: function(x, at, u), X, updates),
        wanted(of_torch, X, updates),
    )


def test_scatter_nd_begins_with_zeros():
    found = tf.scatter_nd([[1], [3], [1]], [2.0, 3.0, 4.0], (5,))
    np.testing.assert_array_equal(found, [0, 6, 0, 3, 0])


def test_the_largest_values_have_gradients():
    found = gradients(lambda x: tf.math.top_k(x, k=2).values, X[..., 0])
    same(found, wanted(lambda x: torch.topk(x, 2).values, X[..., 0]))
    indices = tf.math.top_k(X[..., 0], k=2).indices
    np.testing.assert_array_equal(indices, torch.topk(torch.tensor(X[..., 0]), 2).indices)
