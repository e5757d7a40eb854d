"""Layers without weights as activations of other layers."""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d, leaky_relu, softmax

import pyconv
import pyconv.compat.keras as keras

RNG = np.random.default_rng(5)
X = RNG.standard_normal((4, 5, 5, 2)).astype(np.float32)


def network(module):
    """Return a network in which two layers have the same layer as their activation."""
    layers = module.layers
    leaky = layers.LeakyReLU(negative_slope=0.2, name="relu")  # no plain ReLU, whatever its name
    return module.Sequential(
        [
            module.Input((5, 5, 2)),
            layers.Conv2D(3, 2, activation=leaky, name="first"),
            layers.Conv2D(3, 2, activation=leaky, name="second"),
            layers.MaxPooling2D(3),
            layers.Flatten(),
            layers.Dense(3, activation=layers.Softmax(), name="head"),
        ]
    )


@pytest.mark.parametrize("module", [pyconv, keras], ids=["pyconv", "keras"])
def test_they_are_trained_as_torch_trains_them(module):
    model = network(module)
    weights = [torch.tensor(np.asarray(w, np.float64)) for w in model.get_weights()]
    for weight in weights:
        weight.requires_grad_()
    w1, b1, w2, b2, w3, b3 = weights
    y = torch.tensor(X, dtype=torch.float64).permute(0, 3, 1, 2)
    y = leaky_relu(conv2d(y, w1.permute(3, 2, 0, 1), b1), 0.2)
    y = leaky_relu(conv2d(y, w2.permute(3, 2, 0, 1), b2), 0.2).amax((2, 3))
    y = softmax(y @ w3 + b3, 1)
    np.testing.assert_allclose(model.predict(X, verbose=0), y.detach().numpy(), atol=1e-6)
    target = np.eye(3, dtype=np.float32)[[0, 1, 2, 1]]
    ((y - torch.tensor(target)) ** 2).mean().backward()
    sgd = (pyconv if module is pyconv else keras).optimizers.SGD(1.0)
    model.compile(sgd, "mse")
    model.train_on_batch(X, target)
    for found, weight in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(found, (weight - weight.grad).detach().numpy(), atol=2e-6)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_they_are_in_files(tmp_path, suffix):
    model = network(keras)
    assert isinstance(model.layers[0].activation, keras.layers.LeakyReLU)
    model.save(tmp_path / f"m{suffix}")
    found = keras.models.load_model(tmp_path / f"m{suffix}")
    assert isinstance(found.layers[1].activation, keras.layers.LeakyReLU)
    assert found.layers[1].activation.negative_slope == 0.2
    assert found.layers[1].activation.name == "relu"
    np.testing.assert_array_equal(found.predict(X, verbose=0), model.predict(X, verbose=0))
    core = pyconv.models.load_model(tmp_path / f"m{suffix}")
    np.testing.assert_allclose(core.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


def test_a_layer_of_ones_own(tmp_path):
    class Bent(keras.layers.Layer):
        def call(self, x):
            return keras.ops.tanh(x) * x

    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, activation=Bent())])
    dense = model.layers[0]
    x = X[0, 0].T @ np.ones((5, 5), np.float32)
    y = x @ np.asarray(dense.kernel)
    np.testing.assert_allclose(model.predict(x, verbose=0), np.tanh(y) * y, rtol=1e-4, atol=1e-6)
    slope = np.tanh(y) + y / np.cosh(y) ** 2
    wanted = dense.kernel - x.T @ (2 * np.tanh(y) * y * slope) / y.size
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.train_on_batch(x, np.zeros_like(y))
    np.testing.assert_allclose(dense.kernel, wanted, rtol=1e-3, atol=1e-5)
    model.save(tmp_path / "m.keras")
    found = keras.models.load_model(tmp_path / "m.keras", {"Bent": Bent})
    np.testing.assert_array_equal(found.predict(x, verbose=0), model.predict(x, verbose=0))


def test_one_with_weights_is_refused():
    model = pyconv.Sequential(
        [pyconv.Input((3,)), pyconv.layers.Dense(2, activation=pyconv.layers.PReLU())]
    )
    with pytest.raises(ValueError, match=r"Dense .*a layer without weights, got <PReLU"):
        model.predict(np.ones((2, 3)), verbose=0)


def test_an_activation_layer_is_its_function():
    relu = pyconv.layers.Dense(2, activation=pyconv.layers.Activation("relu")).activation
    assert relu is pyconv.activations.relu
