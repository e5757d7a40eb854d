"""Layers over those of Keras with a ``call`` or a ``convolution_op`` of their own, in models."""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv1d, conv2d, relu

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers, ops

RNG = np.random.default_rng(3)
X = RNG.random((6, 7, 7, 4), dtype=np.float32)
ROWS = RNG.random((6, 3), dtype=np.float32)


class Standardized(layers.Conv2D):
    """A convolution whose filters have mean 0 and deviation 1."""

    def convolution_op(self, inputs, kernel):
        axes = (0, 1, 2)
        centred = kernel - ops.mean(kernel, axis=axes, keepdims=True)
        deviation = ops.std(kernel, axis=axes, keepdims=True)
        return super().convolution_op(inputs, centred / (deviation + 1e-2))


class StandardizedByCall(layers.Conv2D):
    """The same, as a call."""

    def call(self, inputs):
        axes = (0, 1, 2)
        centred = self.kernel - ops.mean(self.kernel, axis=axes, keepdims=True)
        kernel = centred / (ops.std(self.kernel, axis=axes, keepdims=True) + 1e-2)
        y = ops.conv(inputs, kernel, self.strides, self.padding, dilation_rate=self.dilation_rate)
        return self.activation(y + self.bias)


class Doubled(layers.Dense):
    def call(self, inputs):
        return super().call(inputs) * 2


class Scaled(layers.BatchNormalization):
    """A normalization with a factor of its own."""

    def build(self, input_shape):
        super().build(input_shape)
        self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

    def call(self, inputs, training=None):
        return super().call(inputs, training=training) * self.factor


def _torch_step(kernel, bias, groups, steps, rate):
    """Return a step of gradient descent of sum(relu(conv(x, standardized kernel)) ** 2) / N."""
    x, w, b = (torch.tensor(np.asarray(a, np.float64)) for a in (X, kernel, bias))
    w.requires_grad_(), b.requires_grad_()
    centred = w - w.mean((0, 1, 2), keepdim=True)
    used = centred / (w.std((0, 1, 2), keepdim=True, unbiased=False) + 1e-2)
    y = conv2d(x.permute(0, 3, 1, 2), used.permute(3, 2, 0, 1), b, steps, groups=groups)
    loss = (relu(y) ** 2).mean()
    loss.backward()
    return (w - rate * w.grad).detach().numpy(), (b - rate * b.grad).detach().numpy()


@pytest.mark.parametrize("kind", [Standardized, StandardizedByCall])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("functional", [False, True])
def test_filters_that_are_standardized_are_trained(kind, groups, functional):
    layer = kind(6, 3, strides=2, groups=groups, activation="relu")
    if functional:
        start = keras.Input(X.shape[1:])
        model = keras.Model(start, layer(start))
    else:
        model = keras.Sequential([keras.Input(X.shape[1:]), layer])
    layer.bias[...] = 0.1
    wanted = _torch_step(layer.kernel, layer.bias, groups, 2, 0.5)
    model.compile(keras.optimizers.SGD(0.5), "mse")
    model.train_on_batch(X, np.zeros((6, 3, 3, 6), np.float32))
    for weight, found in zip(layer.get_weights(), wanted, strict=True):
        np.testing.assert_allclose(weight, found, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0), layer(X), rtol=1e-5, atol=1e-6)


def test_a_call_with_that_of_the_layer_below_in_it():
    model = keras.Sequential([keras.Input((3,)), Doubled(2)])
    layer = model.layers[0]
    kernel = np.array(layer.kernel, np.float64)
    np.testing.assert_allclose(model.predict(ROWS, verbose=0), 2 * ROWS @ layer.kernel, rtol=1e-6)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    for _ in range(3):
        kernel -= 0.1 * 2 * ROWS.T @ (2 * (2 * ROWS @ kernel)) / 12
        model.train_on_batch(ROWS, np.zeros((6, 2)))
        if not layer.bias.any():  # its gradient is not in the formula
            pytest.fail("the bias was not trained")
        layer.bias[...] = 0
    np.testing.assert_allclose(layer.kernel, kernel, rtol=1e-5)


def test_a_layer_below_that_is_called_twice():
    class Both(layers.Dense):
        def call(self, inputs):
            return super().call(inputs) - super().call(inputs * inputs)

    model = keras.Sequential([keras.Input((3,)), Both(2, use_bias=False)])
    kernel, moved = np.array(model.layers[0].kernel, np.float64), ROWS - ROWS * ROWS
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(ROWS, np.ones((6, 2)))
    kernel -= 0.1 * 2 * moved.T @ (moved @ kernel - 1) / 12
    np.testing.assert_allclose(model.layers[0].kernel, kernel, rtol=1e-5)


def test_a_weight_of_its_own_over_those_of_the_layer():
    model = keras.Sequential([keras.Input((3,)), Scaled()])
    norm = model.layers[0]
    assert [w.name for w in norm.weights] == [
        "gamma", "beta", "factor", "moving_mean", "moving_variance",
    ]  # fmt: skip
    y = (ROWS - ROWS.mean(0)) / np.sqrt(ROWS.var(0) + 1e-3)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(ROWS, np.zeros_like(ROWS))
    np.testing.assert_allclose(norm.factor, 1 - 0.1 * 2 * (y * y).mean(), rtol=1e-5)
    np.testing.assert_allclose(norm.gamma, 1 - 0.1 * 2 * (y * y).mean(0) / 3, rtol=1e-5)
    np.testing.assert_allclose(norm.moving_mean, 0.01 * ROWS.mean(0), rtol=1e-5)
    second = norm.factor.copy()
    model.train_on_batch(ROWS, np.zeros_like(ROWS))
    slope = 2 * (second * (y * norm.gamma + norm.beta) ** 2).mean()
    np.testing.assert_allclose(norm.factor, second - 0.1 * slope, rtol=2e-2)


def test_a_normalization_that_is_never_in_training():
    class Frozen(layers.BatchNormalization):
        def call(self, inputs, training=None):
            return super().call(inputs, training=False)

    model = keras.Sequential([keras.Input((3,)), Frozen(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(ROWS, np.ones((6, 1)), verbose=0)
    assert not model.layers[0].moving_mean.any()
    assert (model.layers[0].gamma != 1).all()


def test_such_layers_within_others_used_twice_in_files_and_copies(tmp_path):
    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.conv = Standardized(4, 3, padding="same")

        def call(self, x):
            return self.conv(x) + x

    start = keras.Input((7, 7, 4))
    shared = Standardized(4, 3, padding="same", activation="tanh")
    y = layers.Flatten()(Block()(shared(shared(start))))
    model = keras.Model(start, Doubled(2)(y))
    before = model.get_weights()
    model.compile("adam", "mse")
    losses = model.fit(X, np.ones((6, 2)), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    for old, new in zip(before, model.get_weights(), strict=True):
        assert (old != new).any()
    model.save(tmp_path / "m.keras")
    own = {"Block": Block, "Standardized": Standardized, "Doubled": Doubled}
    for copy in (
        keras.models.load_model(tmp_path / "m.keras", own),
        keras.models.clone_model(model),
    ):
        copy.set_weights(model.get_weights())
        np.testing.assert_array_equal(copy.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_tape_follows_the_weights():
    layer = StandardizedByCall(2, 3)
    layer.build((None, 7, 7, 4))
    from pyconv.compat import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = ops.sum(layer(tf.constant(X)) ** 2)
    of_kernel, of_bias = tape.gradient(loss, layer.trainable_variables)
    slope = 2 * np.sum(layer(X), axis=(0, 1, 2))
    np.testing.assert_allclose(of_bias, slope, rtol=1e-4)
    assert np.any(of_kernel)


def test_what_models_cannot_run():
    class Normed(layers.Conv2D):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.norm = layers.BatchNormalization()

        def call(self, inputs):
            return self.norm(super().call(inputs))

    class Halved(layers.Dense):
        def call(self, inputs):
            return super().call(inputs)[:, :1]

    with pytest.raises(
        NotImplementedError, match=r"call over that of Conv2D .* holds layers \(norm"
    ):
        keras.Sequential([keras.Input((7, 7, 4)), Normed(2, 3)])
    model = keras.Sequential([keras.Input((3,)), Halved(2)])
    with pytest.raises(ValueError, match=r"give the class a compute_output_shape"):
        model.predict(ROWS, verbose=0)
    with pytest.raises(ValueError, match=r"images \(N, H, W, C\) and the kernel filters"):
        ops.conv(X, np.ones((3, 3, 3, 2)))
    with pytest.raises(NotImplementedError, match="data_format must be 'channels_last'"):
        ops.conv(X, np.ones((3, 3, 4, 2)), data_format="channels_first")


def test_convolutions_of_lines():
    lines, kernel = RNG.random((2, 9, 3)), RNG.random((4, 3, 5))
    given = (torch.tensor(lines.transpose(0, 2, 1)), torch.tensor(kernel.transpose(2, 1, 0)))
    wanted = conv1d(*given, stride=2).numpy().transpose(0, 2, 1)
    np.testing.assert_allclose(ops.conv(lines, kernel, 2), wanted, rtol=1e-5)
