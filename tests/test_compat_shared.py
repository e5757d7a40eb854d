"""Layers and models that are called several times in one model: gradients against torch."""

import copy
import pickle

import numpy as np
import pytest
import torch

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers

RNG = np.random.default_rng(0)


pytestmark = pytest.mark.usefixtures("keras3")


def normal(*shape):
    return RNG.standard_normal(shape, np.float32)


def gradients(model, x, y):
    """Return the gradients of the mean squared error by all weights, as SGD applies them."""
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = model.get_weights()
    model.train_on_batch(x, y)
    after = model.get_weights()
    model.set_weights(before)
    return [old - new for old, new in zip(before, after, strict=True)]


def of_torch(function, model, y):
    """Return the gradients of torch in float64, by all weights."""
    weights = [torch.tensor(w, dtype=torch.float64).requires_grad_() for w in model.get_weights()]
    loss = ((function(*weights) - torch.tensor(y, dtype=torch.float64)) ** 2).mean()
    loss.backward()
    return [weight.grad.numpy() for weight in weights]


def check(model, x, y, function):
    for ours, exact in zip(gradients(model, x, y), of_torch(function, model, y), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=2e-4, atol=2e-6)


def double(x):
    return torch.tensor(x, dtype=torch.float64)


def test_a_layer_on_its_own_result():
    inputs, dense = keras.Input((4,)), layers.Dense(4, activation="tanh")
    model = keras.Model(inputs, layers.Dense(2)(dense(dense(dense(inputs)))))
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Dense", "Dense"]
    assert model.count_params() == 30
    x = normal(8, 4)

    def function(w, b, v, c):
        h = double(x)
        for _ in range(3):
            h = torch.tanh(h @ w + b)
        return h @ v + c

    check(model, x, normal(8, 2), function)
    np.testing.assert_allclose(
        model.predict(x, verbose=0),
        function(*map(double, model.get_weights())).numpy(),
        atol=1e-6,
    )


def twins():
    """Two images through one network, and what is made of both."""
    encoder = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(3, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(5),
        ],
        name="encoder",
    )
    images = [keras.Input((6, 6, 2), name=name) for name in ("left", "right")]
    both = layers.Multiply()([encoder(image) for image in images])
    return encoder, keras.Model(images, layers.Dense(1)(both))


def encoded(x, w, b, v, c):
    h = torch.relu(torch.conv2d(double(x).movedim(-1, 1), w.permute(3, 2, 0, 1), b))
    return torch.max_pool2d(h, 2).movedim(1, -1).flatten(1) @ v + c


def test_a_model_on_two_inputs():
    encoder, model = twins()
    left, right = normal(7, 6, 6, 2), normal(7, 6, 6, 2)
    y = normal(7, 1)
    assert len(model.weights) == 6

    def function(w, b, v, c, last, bias):
        return encoded(left, w, b, v, c) * encoded(right, w, b, v, c) @ last + bias

    check(model, [left, right], y, function)
    # The network itself is trained as before, and with the whole.
    check(encoder, left, normal(7, 5), lambda *weights: encoded(left, *weights))
    before = encoder.predict(left, verbose=0)
    model.fit([left, right], y, verbose=0)
    assert np.abs(encoder.predict(left, verbose=0) - before).max() > 1e-6


@pytest.mark.parametrize("how", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies(how):
    _, model = twins()
    x = [normal(3, 6, 6, 2), normal(3, 6, 6, 2)]
    model.compile("sgd", "mse")
    model.fit(x, normal(3, 1), verbose=0)
    copied = how(model)
    expected = model.predict(x, verbose=0)
    np.testing.assert_array_equal(copied.predict(x, verbose=0), expected)
    copied.compile("sgd", "mse")
    copied.fit(x, normal(3, 1), verbose=0)
    assert len(copied.weights) == 6
    assert (copied.predict(x, verbose=0) != expected).any()
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)


def test_a_layer_of_ones_own():
    class Scale(layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1],), initializer="ones", name="w")

        def call(self, x):
            return keras.ops.tanh(x * self.w)

    inputs, scale = keras.Input((4,)), Scale()
    model = keras.Model(inputs, layers.Dense(2)(scale(scale(inputs))))
    x = normal(8, 4)

    def function(w, v, c):
        return torch.tanh(torch.tanh(double(x) * w) * w) @ v + c

    check(model, x, normal(8, 2), function)


def test_penalties_count_once():
    inputs, dense = keras.Input((3,)), layers.Dense(3, kernel_regularizer=keras.regularizers.L2(1))
    model = keras.Model(inputs, dense(dense(inputs)))
    x, y = normal(5, 3), normal(5, 3)
    function = lambda w, b: (double(x) @ w + b) @ w + b  # noqa: E731
    kernel = double(model.get_weights()[0]).numpy()
    exact = of_torch(function, model, y)
    got = gradients(model, x, y)
    np.testing.assert_allclose(got[0], exact[0] + 2 * kernel, rtol=1e-4, atol=1e-5)
    assert len(model.losses) == 1
    np.testing.assert_allclose(model.losses[0], (kernel**2).sum(), rtol=1e-5)


def test_frozen_and_trained_again():
    inputs, dense = keras.Input((3,)), layers.Dense(3)
    model = keras.Model(inputs, layers.Dense(1)(dense(dense(inputs))))
    dense.trainable = False
    model.compile("sgd", "mse")
    before = dense.get_weights()
    model.fit(normal(8, 3), normal(8, 1), verbose=0)
    for old, new in zip(before, dense.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    dense.trainable = True
    model.compile("sgd", "mse")
    model.fit(normal(8, 3), normal(8, 1), verbose=0)
    assert (before[0] != dense.get_weights()[0]).all()


def test_state_and_chance():
    """The moving means are one set, and dropout draws anew."""
    inputs, norm, dropout = keras.Input((2,)), layers.BatchNormalization(momentum=0.5), None
    model = keras.Model(inputs, norm(layers.Rescaling(1.0)(norm(inputs))))
    x = normal(64, 2) + np.float32(3)
    model(x, training=True)
    mean = x.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(norm.get_weights()[2], mean * 0.5 * 0.5, rtol=1e-4, atol=1e-6)
    inputs, dropout = keras.Input((1000,)), layers.Dropout(0.5, seed=3)
    two = keras.Model(inputs, [dropout(inputs), dropout(inputs)])
    one, other = two(np.ones((1, 1000)), training=True)
    assert 0.4 < (np.asarray(one) == np.asarray(other)).mean() < 0.6


def test_outputs_and_parts_of_a_model():
    inputs, head = keras.Input((4,)), layers.Dense(3)
    results = [head(layers.Dense(4)(inputs)) for _ in range(2)]
    model = keras.Model(inputs, results)
    model.compile("sgd", ["mse", "mse"])
    x = normal(6, 4)
    model.fit(x, [normal(6, 3), normal(6, 3)], verbose=0)
    part = keras.Model(inputs, results[1])
    np.testing.assert_allclose(
        part.predict(x, verbose=0), model.predict(x, verbose=0)[1], rtol=1e-6
    )
    gradients(part, x, normal(6, 3))
    assert model.count_params() == 2 * 20 + 15


def test_low_rank():
    dense = layers.Dense(4)
    dense.build((None, 4))
    dense.enable_lora(2, b_initializer="normal")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, dense(layers.Activation("tanh")(dense(inputs))))
    x, y = normal(8, 4), normal(8, 4)

    def function(w, b, p, q):
        return torch.tanh(double(x) @ (w + p @ q) + b) @ (w + p @ q) + b

    got, exact = gradients(model, x, y), of_torch(function, model, y)
    assert not got[0].any()
    for ours, theirs in zip(got[1:], exact[1:], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-6)
    with pytest.raises(NotImplementedError, match="before the layer is called a second time"):
        dense.enable_lora(2)


def test_weights_in_files(tmp_path):
    _, model = twins()
    x = [normal(3, 6, 6, 2), normal(3, 6, 6, 2)]
    for ending in (".weights.h5", ".h5", ".safetensors"):
        path = str(tmp_path / f"m{ending}")
        expected = model.predict(x, verbose=0)
        model.save_weights(path)
        weights = model.get_weights()
        model.set_weights([0 * weight for weight in weights])
        model.load_weights(path)
        np.testing.assert_array_equal(model.predict(x, verbose=0), expected)


def test_what_cannot_be_copied():
    class Locked(layers.Layer):
        def build(self, shape):
            self.generator = (i for i in range(3))
            self.w = self.add_weight(shape=(3,), name="w")

        def call(self, x):
            return x * self.w

    inputs, locked = keras.Input((3,)), Locked()
    with pytest.raises(NotImplementedError, match="it is used twice, and cannot be copied"):
        keras.Model(inputs, locked(locked(inputs)))
