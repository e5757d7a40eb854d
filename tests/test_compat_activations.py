"""Activation functions with arguments, on each kind of array there is."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import pyconv
import pyconv.compat.tensorflow as tf

keras = tf.keras
X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
CASES = [
    (tf.nn.softmax, {"axis": 1}, lambda x: functional.softmax(x, 1)),
    (tf.nn.log_softmax, {"axis": 1}, lambda x: functional.log_softmax(x, 1)),
    (tf.nn.leaky_relu, {"alpha": 0.5}, lambda x: functional.leaky_relu(x, 0.5)),
    (tf.nn.gelu, {"approximate": True}, lambda x: functional.gelu(x, approximate="tanh")),
    (keras.activations.softmax, {"axis": 1}, lambda x: functional.softmax(x, 1)),
    (keras.activations.elu, {"alpha": 0.5}, lambda x: functional.elu(x, 0.5)),
    (keras.activations.relu, {"alpha": 0.25}, lambda x: functional.leaky_relu(x, 0.25)),
    (keras.activations.relu, {"max_value": 0.5}, lambda x: functional.hardtanh(x, 0, 0.5)),
    (keras.activations.relu, {"threshold": 0.5}, lambda x: functional.threshold(x, 0.5, 0)),
]
IDS = [f"{getattr(f, 'name', '') or f.__name__}-{'-'.join(given)}" for f, given, _ in CASES]


@pytest.mark.parametrize(("function", "given", "wanted"), CASES, ids=IDS)
def test_arguments_hold_for_every_kind_of_array(function, given, wanted):
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    y = wanted(x)
    (y * x.detach()).sum().backward()
    for values in (X, tf.constant(X)):
        np.testing.assert_allclose(function(values, **given), y.detach(), rtol=1e-5, atol=1e-6)

    variable = tf.Variable(X)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(function(variable, **given) * X)
    grad = tape.gradient(loss, variable)
    np.testing.assert_allclose(grad, x.grad, rtol=1e-4, atol=1e-5)

    inputs = keras.Input((3, 4))
    model = keras.Model(inputs, function(inputs, **given))
    np.testing.assert_allclose(model.predict(X, verbose=0), y.detach(), rtol=1e-5, atol=1e-6)


def test_a_variant_of_relu_is_saved(tmp_path):
    inputs = keras.Input((3, 4))
    model = keras.Model(inputs, keras.activations.relu(inputs, negative_slope=0.1, max_value=0.5))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    found = pyconv.activations.deserialize(
        pyconv.activations.serialize(pyconv.activations.relu.variant(0.1, 0.5))
    )
    np.testing.assert_allclose(found([-1.0, 0.2, 3.0]), [-0.1, 0.2, 0.5], rtol=1e-6)
