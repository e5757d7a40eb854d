"""Layers with weights of their own that take or give several tensors, beside torch."""

import numpy as np
import pytest
import torch

import pyconv.compat.tensorflow as tf

keras = tf.keras
layers = keras.layers
rng = np.random.default_rng(0)
A, B = (rng.normal(size=(8, 3)).astype(np.float32) for _ in range(2))
W, K = rng.normal(size=3).astype(np.float32), rng.normal(size=(3, 3)).astype(np.float32)


class Mixed(layers.Layer):
    """a * w + b @ k, of two arguments."""

    def build(self, *shapes):
        self.w = self.add_weight(name="w", shape=(3,), initializer="ones")
        self.dense = layers.Dense(3, use_bias=False)
        self.built = True

    def call(self, a, b):
        return a * self.w + self.dense(b)


class MixedOfList(Mixed):
    def call(self, inputs):
        a, b = inputs
        return a * self.w + self.dense(b)


class Several(Mixed):
    """Two results of one argument."""

    def call(self, a):
        return {"scaled": a * self.w, "both": tf.stack([self.dense(a), a], axis=1)}


def reference(kind, a, b, w, k):
    if kind is Several:
        return a * w + torch.stack([b @ k, b], 1).sum(1)
    return a * w + b @ k


def result(kind, layer, a, b):
    if kind is Several:
        return layer(a)["scaled"] + tf.reduce_sum(layer(b)["both"], axis=1)
    return layer(a, b) if kind is Mixed else layer([a, b])


@pytest.mark.parametrize("kind", [Mixed, MixedOfList, Several])
def test_gradients_by_a_tape(kind):
    layer = kind()
    result(kind, layer, tf.constant(A), tf.constant(B))
    layer.set_weights([W, K])
    with tf.GradientTape() as tape:
        y = result(kind, layer, tf.constant(A), tf.constant(B))
        loss = tf.reduce_sum(y * y)
    grads = tape.gradient(loss, layer.trainable_weights)
    w, k = (torch.tensor(x, requires_grad=True) for x in (W, K))
    (reference(kind, torch.tensor(A), torch.tensor(B), w, k) ** 2).sum().backward()
    for grad, wanted in zip(grads, (w.grad, k.grad), strict=True):
        np.testing.assert_allclose(grad, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [Mixed, MixedOfList, Several])
def test_training_in_a_model(kind):
    first, second = keras.Input((3,)), keras.Input((3,))
    layer = kind(name="own")
    if kind is Several:
        found = layer(first)
        output = found["scaled"] + tf.reduce_sum(found["both"], axis=1)
        model, inputs = keras.Model(first, output), A
    else:
        model = keras.Model([first, second], result(kind, layer, first, second))
        inputs = [A, B]
    assert [w.shape for w in model.trainable_weights] == [(3,), (3, 3)]
    layer.set_weights([W, K])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(inputs, np.zeros((8, 3)), batch_size=4, epochs=2, shuffle=False, verbose=0)

    w, k = (torch.tensor(x, requires_grad=True) for x in (W, K))
    for rows in (slice(4), slice(4, 8)) * 2:
        a, b = (torch.tensor(x[rows]) for x in (A, A if kind is Several else B))
        loss = (reference(kind, a, b, w, k) ** 2).mean()
        for weight, grad in zip((w, k), torch.autograd.grad(loss, (w, k)), strict=True):
            weight.data -= 0.1 * grad
    for weight, wanted in zip(layer.get_weights(), (w, k), strict=True):
        np.testing.assert_allclose(weight, wanted.detach(), rtol=1e-5, atol=1e-6)
    assert model.get_layer("own") is layer
    np.testing.assert_allclose(
        model.predict(inputs, verbose=0),
        reference(kind, *map(torch.tensor, (A, A if kind is Several else B)), w, k).detach(),
        rtol=1e-4,
        atol=1e-5,
    )


def test_outputs_of_a_layer_within():
    first = keras.Input((3,))
    layer = Several(name="own")
    model = keras.Model(first, layer(first)["scaled"])
    parts = keras.Model(model.input, model.get_layer("own").output)
    found = parts.predict(A, verbose=0)
    layer.set_weights([W, K])
    found = parts.predict(A, verbose=0)
    np.testing.assert_allclose(found["scaled"], A * W, rtol=1e-6)
    np.testing.assert_allclose(found["both"][:, 0], A @ K, rtol=1e-5, atol=1e-6)


def test_the_phase_reaches_the_call():
    class Noted(Mixed):
        def call(self, a, b, training=False):
            return a * self.w * (2.0 if training else 1.0) + b

    first, second = keras.Input((3,)), keras.Input((3,))
    model = keras.Model([first, second], Noted()(first, second))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    in_training = model.fit([A, B], np.zeros((8, 3)), verbose=0).history["loss"][0]
    outside = model.evaluate([A, B], np.zeros((8, 3)), verbose=0)
    assert in_training == pytest.approx(np.mean((2 * A + B) ** 2), rel=1e-5)
    assert outside == pytest.approx(np.mean((A + B) ** 2), rel=1e-5)


def test_shapes_by_a_method_of_ones_own():
    class Shaped(Mixed):
        def call(self, inputs):
            assert isinstance(inputs, list)
            a, b = inputs
            return [a * self.w + b, tf.reduce_mean(b, axis=-1)]

        def compute_output_shape(self, input_shape):
            first, second = input_shape
            return [first, second[:-1]]

    first, second = keras.Input((3,)), keras.Input((3,))
    layer = Shaped()
    scaled, mean = layer([first, second])
    assert scaled.shape == (None, 3)
    assert mean.shape == (None,)
    assert layer.compute_output_shape([(2, 3), (2, 3)]) == [(2, 3), (2,)]
    model = keras.Model([first, second], scaled)
    assert [w.shape for w in model.trainable_weights] == [(3,)]
    model.compile(keras.optimizers.SGD(0.5), "mse")
    model.fit([A, B], B, batch_size=8, verbose=0)
    # The slope of mean((a w)^2) by w at 1, in each column.
    wanted = 1 - 0.5 * 2 * np.sum(A * A, axis=0) / A.size
    np.testing.assert_allclose(layer.get_weights()[0], wanted, rtol=1e-5)


def test_what_cannot_be_packed_says_so():
    layer = Mixed()
    layer(keras.Input((3,)), keras.Input((3,)))
    with pytest.raises(NotImplementedError, match=r"Mixed.*same shapes.*\(1,\)"):
        layer(keras.Input((3,)), keras.Input((1,)))
    with pytest.raises(NotImplementedError, match=r"Mixed.*must know their sizes.*None"):
        Mixed()(keras.Input((None, 3)), keras.Input((None, 3)))


class Sampling(layers.Layer):
    def call(self, inputs):
        mean, log_var = inputs
        return mean + tf.exp(0.5 * log_var) * keras.backend.random_normal(tf.shape(mean))


class Encoder(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.mean, self.log_var, self.sampling = layers.Dense(2), layers.Dense(2), Sampling()

    def call(self, x):
        mean, log_var = self.mean(x), self.log_var(x)
        return mean, log_var, self.sampling((mean, log_var))


class Autoencoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), layers.Dense(3)

    def call(self, x):
        mean, log_var, z = self.encoder(x)
        self.add_loss(-0.5 * tf.reduce_mean(log_var - mean**2 - tf.exp(log_var) + 1))
        return self.decoder(z)


def test_an_encoder_that_gives_several_results_within_a_model():
    keras.utils.set_random_seed(0)
    model = Autoencoder()
    optimizer = keras.optimizers.Adam(0.05)
    losses = []
    for _ in range(60):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(A - model(tf.constant(A)))) + sum(model.losses)
        grads = tape.gradient(loss, model.trainable_weights)
        assert len(grads) == 6
        assert all(np.any(np.asarray(grad)) for grad in grads)
        optimizer.apply_gradients(zip(grads, model.trainable_weights, strict=True))
        losses.append(float(loss))
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    model.compile("sgd", "mse")
    assert len(model.fit(A, A, epochs=2, verbose=0).history["loss"]) == 2
