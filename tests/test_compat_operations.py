"""Functions of arrays on the tensors of functional models, and layers of several inputs."""

import numpy as np
import pytest
import torch

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv.compat._autodiff import pull_back, watched
from pyconv.compat.keras import backend as K  # noqa: N812
from pyconv.compat.keras import layers, ops

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5))
SQUARES = RNG.normal(size=(3, 2, 2))
X = RNG.normal(size=(12, 6)).astype(np.float32)

FUNCTIONS = {
    "prod": lambda a: np.prod(a, axis=1),
    "prod of all": lambda a: np.prod(a, keepdims=True),
    "cumsum": lambda a: np.cumsum(a, axis=1) ** 2,
    "einsum": lambda a: np.einsum("ij,jk->k", a, B) ** 2,
    "tensordot": lambda a: np.tensordot(a, B, axes=([1], [0])) ** 2,
    "pad": lambda a: np.pad(a, ((1, 0), (0, 2))) ** 2,
    "reflected": lambda a: np.pad(a, ((1, 1), (1, 2)), mode="reflect") ** 2,
    "tile": lambda a: np.tile(a, (2, 3)) ** 3,
    "roll": lambda a: np.roll(a, 1, axis=1) * a,
    "split": lambda a: np.split(a, 2, axis=1)[0] * np.split(a, [1, 3], axis=1)[1],
    "sort": lambda a: np.sort(a, axis=1) * np.arange(4),
    "hstack": lambda a: np.hstack([a, a * a]) ** 2,
    "vstack": lambda a: np.vstack([a, a * a]) ** 2,
    "outer": lambda a: np.outer(a[0], a[1]) ** 2,
    "triu": lambda a: np.triu(a) ** 2 + np.tril(a),
    "diagonal": lambda a: np.diagonal(a) ** 2,
    "K.batch_dot": lambda a: K.batch_dot(np.reshape(a, (3, 2, 2)), SQUARES) ** 2,
    "K.l2_normalize": lambda a: K.l2_normalize(a, axis=1) * np.arange(4),
    "K.relu": lambda a: K.relu(a, alpha=0.1, max_value=0.5),
    "K.elu": lambda a: K.elu(a),
    "K.hard_sigmoid": lambda a: K.hard_sigmoid(a * 3),
    "K.switch": lambda a: K.switch(a > 0, a * a, -a),
    "tf.nn.l2_loss": lambda a: tf.nn.l2_loss(a),
    "tf.split": lambda a: tf.split(a, [1, 3], axis=1)[1] ** 2,
    "tf.matmul": lambda a: tf.matmul(a, A, transpose_b=True) ** 2,
    "tf.transpose": lambda a: tf.transpose(a, perm=[1, 0]) ** 2,
    "divide_no_nan": lambda a: ops.divide_no_nan(a, a * a + 1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_are_those_of_differences(name):
    function, x = FUNCTIONS[name], watched(A.copy())
    y = function(x)
    weights = np.random.default_rng(1).normal(size=y.shape)
    found = pull_back(y.node, weights)[x.node]
    wanted = np.zeros_like(A)
    for place in np.ndindex(A.shape):
        step = np.zeros_like(A)
        step[place] = 1e-6
        difference = np.asarray(function(A + step)) - np.asarray(function(A - step))
        wanted[place] = (difference * weights).sum() / 2e-6
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_convolution_has_the_gradients_of_torch(padding):
    x = RNG.normal(size=(2, 6, 6, 3)).astype(np.float32)
    w = RNG.normal(size=(3, 3, 3, 4)).astype(np.float32)
    given, filters = watched(x), watched(w)
    y = tf.nn.conv2d(given, filters, strides=[1, 1, 1, 1], padding=padding.upper())
    dy = RNG.normal(size=y.shape).astype(np.float32)
    found = pull_back(y.node, dy)
    tx = torch.tensor(x, dtype=torch.float64).permute(0, 3, 1, 2).requires_grad_()
    tw = torch.tensor(w, dtype=torch.float64).permute(3, 2, 0, 1).requires_grad_()
    ty = torch.nn.functional.conv2d(tx, tw, padding=padding)
    np.testing.assert_allclose(y, ty.detach().permute(0, 2, 3, 1), rtol=1e-4, atol=1e-5)
    ty.backward(torch.tensor(dy, dtype=torch.float64).permute(0, 3, 1, 2))
    np.testing.assert_allclose(found[given.node], tx.grad.permute(0, 2, 3, 1), rtol=1e-4, atol=1e-5)
    dw = tw.grad.permute(2, 3, 1, 0)
    np.testing.assert_allclose(found[filters.node], dw, rtol=1e-4, atol=1e-4)


def test_lines_are_images_of_one_row():
    x, w = RNG.normal(size=(2, 7, 3)).astype("f"), RNG.normal(size=(3, 3, 4)).astype("f")
    wanted = layers.Conv1D(4, 3, use_bias=False, weights=[w])(x)
    np.testing.assert_allclose(K.conv1d(x, w), wanted, rtol=1e-5)


def test_functions_on_tensors_are_layers_that_train():
    inputs = keras.Input((6,))
    hidden = layers.Dense(4)(inputs)
    y = ops.relu(hidden) / (1 + ops.exp(-hidden)) + hidden**2 * 0.5
    y = ops.concatenate([y, ops.max(hidden, axis=1, keepdims=True), hidden[:, :2]], axis=-1)
    y = tf.reshape(y, (tf.shape(y)[0], 7))
    assert y.shape == (None, 7)
    model = keras.Model(inputs, ops.softmax(layers.Dense(3)(y)))
    w, b, v, c = (torch.tensor(a, dtype=torch.float64) for a in model.get_weights())
    w.requires_grad_()
    labels = np.arange(12) % 3
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    model.train_on_batch(X, labels)
    th = torch.tensor(X, dtype=torch.float64) @ w + b
    ty = torch.relu(th) / (1 + torch.exp(-th)) + th**2 * 0.5
    ty = torch.cat([ty, th.max(1, keepdim=True).values, th[:, :2]], -1)
    torch.nn.functional.cross_entropy(ty @ v + c, torch.tensor(labels)).backward()
    np.testing.assert_allclose(model.get_weights()[0], w.detach() - 0.1 * w.grad, rtol=1e-4)
    with pytest.raises(NotImplementedError, match="save_weights"):
        model.to_json()


def test_numbers_of_numpy_and_tensors():
    inputs = keras.Input((6,))
    both = np.float32(2) * inputs + np.maximum(inputs, 0)
    model = keras.Model(inputs, both)
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * X + np.maximum(X, 0), rtol=1e-6)
    with pytest.raises(TypeError, match="known once there are data"):
        list(inputs)


def test_lambda_of_several_tensors_has_the_gradients_of_torch():
    inputs = keras.Input((6,))
    a, b = layers.Dense(4)(inputs), layers.Dense(4)(inputs)

    def distance(pair):
        return K.sqrt(K.sum(K.square(pair[0] - pair[1]), axis=1, keepdims=True) + K.epsilon())

    model = keras.Model(inputs, layers.Lambda(distance)([a, b]))
    wa, ba, wb, bb = (torch.tensor(v, dtype=torch.float64) for v in model.get_weights())
    wa.requires_grad_()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(X, np.zeros((12, 1)))
    x = torch.tensor(X, dtype=torch.float64)
    d = ((x @ wa + ba - x @ wb - bb) ** 2).sum(1) + 1e-7
    d.mean().backward()
    np.testing.assert_allclose(model.get_weights()[0], wa.detach() - 0.1 * wa.grad, rtol=1e-4)
