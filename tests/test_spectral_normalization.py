"""Kernels of spectral norm 1, against numpy's singular values and torch's gradients."""

import numpy as np
import pytest
import torch
from layer_reference import here

import pyconv
import pyconv.compat.keras as keras
from pyconv.layers import Conv2D, Dense, ReLU, SpectralNormalization

RNG = np.random.default_rng(8)
X = RNG.standard_normal((4, 6, 6, 3), np.float32)


def norm(kernel):
    return np.linalg.svd(np.asarray(kernel).reshape(-1, kernel.shape[-1]), compute_uv=False)[0]


def test_the_kernel_s_norm_becomes_1():
    layer = SpectralNormalization(Conv2D(5, 2), power_iterations=50)
    layer.build((None, 6, 6, 3))
    before = np.array(layer.layer.kernel)
    layer.forward(here(X), False)
    np.testing.assert_array_equal(layer.layer.kernel, before)
    y = np.array(layer.forward(here(X), True))
    np.testing.assert_allclose(norm(layer.layer.kernel), 1, rtol=1e-4)
    np.testing.assert_allclose(layer.layer.kernel, before / norm(before), rtol=1e-4)
    dy = RNG.standard_normal(y.shape, np.float32)
    dx = layer.backward(here(dy), True)
    x = torch.tensor(X.transpose(0, 3, 1, 2), dtype=torch.float64, requires_grad=True)
    kernel = np.asarray(layer.layer.kernel, np.float64).transpose(3, 2, 0, 1)
    w = torch.tensor(kernel, requires_grad=True)
    truth = torch.nn.functional.conv2d(x, w)
    truth.backward(torch.tensor(dy.transpose(0, 3, 1, 2), dtype=torch.float64))
    np.testing.assert_allclose(y, truth.detach().permute(0, 2, 3, 1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(dx, x.grad.permute(0, 2, 3, 1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.grads[0], w.grad.permute(2, 3, 1, 0), rtol=1e-4, atol=1e-4)


def test_weights_files_and_configuration(tmp_path):
    inner = Dense(3, name="inner")
    layer = SpectralNormalization(inner, power_iterations=2, name="norm")
    model = pyconv.Sequential([pyconv.Input((4,)), layer])
    assert list(layer.named_weights) == ["inner/kernel", "inner/bias", "vector_u"]
    assert len(layer.trainable_weights) == 2
    assert [w.shape for w in layer.non_trainable_weights] == [(1, 3)]
    model.compile("adam", "mse")
    x = RNG.standard_normal((32, 4), np.float32)
    history = model.fit(x, np.tanh(x[:, :3]), epochs=5, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    model.save(tmp_path / "m")
    again = pyconv.models.load_model(tmp_path / "m")
    np.testing.assert_array_equal(again.layers[0].vector_u, layer.vector_u)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    # A kernel of zeros is left alone.
    zeros = SpectralNormalization(Dense(2, kernel_initializer="zeros"))
    assert not zeros(np.ones((1, 3)), training=True).any()


def test_of_keras():
    layers = keras.layers
    ones = keras.initializers.Constant(1)
    layer = layers.SpectralNormalization(layers.Conv2D(1, 2, kernel_initializer=ones), 8)
    x = np.ones((1, 2, 2, 1))
    assert layer(x, training=False).tolist() == [[[[4.0]]]]
    # The norm of the 4x1 matrix of ones is 2.
    np.testing.assert_allclose(layer(x, training=True), [[[[2.0]]]], rtol=1e-6)
    again = type(layer).from_config(layer.get_config())
    assert type(again.layer) is layers.Conv2D
    assert again.get_config() == layer.get_config()
    assert type(layers.deserialize(layers.serialize(layers.Dense(2)))) is layers.Dense


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: SpectralNormalization(Dense(2), 0), ValueError, "should be greater than zero"),
        (lambda: SpectralNormalization(3), TypeError, "layer must hold layers only"),
        (lambda: SpectralNormalization(ReLU()).build((None, 2)), ValueError, "no attribute 'kern"),
    ],
)
def test_wrong_arguments(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_of_an_embedding():
    layer = keras.layers.SpectralNormalization(keras.layers.Embedding(5, 3), power_iterations=50)
    numbers = np.arange(5)
    plain = np.array(layer(numbers, training=False))
    norm = np.linalg.svd(plain.astype(np.float64), compute_uv=False)[0]
    np.testing.assert_allclose(layer(numbers, training=True), plain / norm, rtol=1e-5)
