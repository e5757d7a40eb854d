"""Models of one's own that are not made of layers alone, and losses that calls add, with torch."""

import numpy as np
import pytest
import torch
from steps_in_torch import check_step, in_torch

import pyconv.compat as compat
import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv.compat.keras import layers, ops

X = np.random.default_rng(0).random((8, 2), np.float32)
Y = np.ones((8, 1), np.float32)


@pytest.fixture(autouse=True)
def era(monkeypatch):
    monkeypatch.setattr(compat._era, "_chosen", "keras3")
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)


class Whole(keras.Model):
    """Weights of its own, another path in training, and a loss of its own."""

    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(3, activation="tanh")
        self.w = self.add_weight(shape=(3, 1), initializer="ones", name="w")
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x, training=None):
        h = self.hidden(x)
        if training:
            h = 2 * h
            self.add_loss(0.1 * ops.sum(self.w**2))
        return ops.matmul(h, self.w)


def whole_loss(weights):
    w, _, kernel, bias = weights
    y = 2 * torch.tanh(torch.tensor(X).double() @ kernel + bias) @ w
    return ((y - 1) ** 2).mean() + 0.1 * (w**2).sum()


def test_a_call_that_is_run_as_one_layer_is_trained():
    model = Whole()
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    model(X)
    assert [w.shape for w in model.get_weights()] == [(3, 1), (), (2, 3), (3,)]
    assert [w.shape for w in model.trainable_weights] == [(3, 1), (2, 3), (3,)]
    assert [layer.name for layer in model.layers] == ["dense"]
    weights = in_torch(model)
    check_step(model, X, Y, weights, whole_loss(weights))
    w, _, kernel, bias = model.get_weights()
    expected = np.tanh(X @ kernel + bias) @ w  # outside of training
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(
        model.evaluate(X, Y, verbose=0)[0], np.square(expected - 1).mean(), rtol=1e-5
    )
    model.count.assign_add(1)
    assert model.get_weights()[1] == 1


def test_such_a_model_under_a_tape_and_within_another():
    model = Whole()
    model(X)
    weights = in_torch(model)
    with tf.GradientTape() as tape:
        y = model(X, training=True)
        loss = ops.mean((y - 1) ** 2) + sum(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    whole_loss(weights).backward()
    for found, weight in zip(gradients, [weights[0], weights[2], weights[3]], strict=True):
        np.testing.assert_allclose(found, weight.grad, atol=1e-6)
    inputs = keras.Input((2,))
    outer = keras.Model(inputs, layers.Rescaling(2.0)(model(inputs)))
    np.testing.assert_allclose(
        outer.predict(X, verbose=0), 2 * model.predict(X, verbose=0), rtol=1e-6
    )


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_such_a_model_in_files(ending, tmp_path):
    model = Whole()
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    path = tmp_path / f"m.{ending}"
    model.save(path)
    again = keras.models.load_model(path, custom_objects={"Whole": Whole})
    assert type(again) is Whole
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    again.fit(X, Y, verbose=0)
    with pytest.raises(NotImplementedError, match=r"Whole 'whole': its call is code.*\.keras"):
        model.save(tmp_path / "m.safetensors")
    model.save_weights(tmp_path / "m.weights.h5")
    again.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_layer_that_does_other_things_in_training():
    class Doubled(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones")

        def call(self, x, training=False):
            return 2 * x * self.w if training else x * self.w

    class Switched(layers.Layer):  # made of layers, as far as it can be followed
        def call(self, x, training=False):
            return layers.Rescaling(3.0)(x) if training else x

    model = keras.Sequential([keras.Input((2,)), Doubled(), Switched(), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    weights = in_torch(model)
    scale, kernel, bias = weights
    y = 6 * torch.tensor(X).double() * scale @ kernel + bias
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ model.get_weights()[1], atol=1e-6)
    check_step(model, X, Y, weights, ((y - 1) ** 2).mean())


# --- losses that calls add ------------------------------------------------------------------------


class Penalty(layers.Layer):
    def call(self, x):
        self.add_loss(0.1 * ops.sum(x * x))
        return x


class Outer(layers.Layer):
    """A layer whose call adds a loss, and calls one that does."""

    def __init__(self):
        super().__init__()
        self.inner = Penalty()
        self.w = self.add_weight(shape=(2,), initializer="ones", regularizer="l2")

    def call(self, x):
        y = self.inner(x * self.w)
        self.add_loss(ops.mean(y))
        return np.multiply(y, 1.0)


@pytest.mark.parametrize("kind", [Penalty, Outer])
def test_losses_that_layers_add_are_trained(kind):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2), kind(), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    weights = in_torch(model)
    y = torch.tensor(X).double() @ weights[0] + weights[1]
    added = 0.0
    if kind is Outer:
        y = y * weights[2]
        added = y.mean() + 0.01 * (weights[2] ** 2).sum()
    added = added + 0.1 * (y * y).sum()
    loss = ((y @ weights[-2] + weights[-1] - 1) ** 2).mean() + added
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), loss.item(), rtol=1e-6)
    check_step(model, X, Y, weights, loss)


def test_losses_that_layers_add_are_scaled_as_the_others():
    found = []
    for wrapped in (False, True):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((2,)), layers.Dense(2), Outer(), layers.Dense(1)])
        sgd = keras.optimizers.SGD(0.1)
        model.compile(keras.optimizers.LossScaleOptimizer(sgd) if wrapped else sgd, "mse")
        model.fit(X, Y, verbose=0)
        found.append(np.concatenate([np.ravel(w) for w in model.get_weights()]))
    np.testing.assert_allclose(*found, atol=1e-5)


def test_only_what_layers_add():
    model = keras.Sequential([layers.Dense(2), Penalty()])
    model.compile(keras.optimizers.SGD(0.1))
    first = model.fit(X, epochs=20, verbose=0).history["loss"]
    assert first[-1] < 0.2 * first[0]
    assert model.evaluate(X, np.zeros(8), verbose=0) < first[-1]
    without = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
    without.compile("sgd")
    with pytest.raises(ValueError, match="the model has no loss"):
        without.fit(X, Y, verbose=0)


def test_a_loss_of_a_model_made_of_layers():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            y = self.dense(x)
            self.add_loss(0.5 * ops.mean(y))
            return y

    model = Net()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model(X)
    weights = in_torch(model)
    y = torch.tensor(X).double() @ weights[0] + weights[1]
    check_step(model, X, Y, weights, ((y - 1) ** 2).mean() + 0.5 * y.mean())


def test_what_a_call_counts_is_seen_by_callbacks():
    class Counting(keras.Model):
        def __init__(self):
            super().__init__()
            self.steps = self.add_variable(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.steps.assign(self.steps + 1)
            return x

    seen = []
    model = Counting()
    model.compile("sgd", "mse")
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(int(model.steps))
    )
    model.fit(X, X, batch_size=2, callbacks=[watch], verbose=0)
    assert seen == [1, 2, 3, 4]


def test_dropout_in_a_call():
    class Dropping(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seed = keras.random.SeedGenerator(3)

        def call(self, x):
            return keras.random.dropout(x, 0.25, seed=self.seed)

    x = np.ones((400, 50), np.float32)
    inputs = keras.Input((50,))
    model = keras.Model(inputs, layers.Dense(1, use_bias=False)(Dropping()(inputs)))
    inner = keras.Model(model.input, model.layers[1].output)
    first, second = inner.predict(x, verbose=0), inner.predict(x, verbose=0)
    assert (first != second).any()
    np.testing.assert_allclose(sorted(set(first.ravel())), [0, 4 / 3], rtol=1e-6)
    assert 0.23 < (first == 0).mean() < 0.27
    alike = keras.random.dropout(x, 0.5, noise_shape=(None, 1), seed=1)
    assert (alike == alike[:, :1]).all()
    with pytest.raises(ValueError, match="rate must be from 0 to 1, got 2"):
        keras.random.dropout(x, 2)
    # Where an element is 0 its gradient is, and the others' is as much larger.
    with tf.GradientTape() as tape:
        given = tf.convert_to_tensor(x)
        tape.watch(given)
        y = keras.random.dropout(given, 0.25, seed=1)
        loss = ops.sum(y)
    np.testing.assert_allclose(tape.gradient(loss, given), y, rtol=1e-6)


class Noise(layers.Layer):
    """Numbers that do not depend on the input: followed once, they would be the same ever after."""

    def call(self, x):
        return x + keras.random.normal((2,))


class NoiseOfTwo(layers.Layer):
    def call(self, inputs):
        x, y = inputs
        return x + y * keras.random.uniform((2,))


def test_random_numbers_are_drawn_anew_in_each_call():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x) + keras.random.normal((2,))

    class OfTensorFlow(Net):
        def call(self, x):
            return self.dense(x) + tf.random.normal((2,))

    class OfTheBackend(Net):
        def call(self, x):
            return self.dense(x) + keras.backend.random_normal((2,))

    class Within(keras.Model):
        def __init__(self):
            super().__init__()
            self.noise = Noise()

        def call(self, x):
            return self.noise(x)

    inputs = keras.Input((2,))
    models = [
        Net(),
        OfTensorFlow(),
        OfTheBackend(),
        Within(),
        keras.Sequential([keras.Input((2,)), Noise()]),
        keras.Model(inputs, Noise()(inputs)),
        keras.Model(inputs, NoiseOfTwo()([inputs, inputs])),
    ]
    for model in models:
        found = [model.predict(X, verbose=0) for _ in range(3)]
        assert np.abs(found[1] - found[0]).max() > 1e-3
        assert np.abs(found[2] - found[1]).max() > 1e-3
        model.compile("sgd", "mse")
        model.fit(X, X, verbose=0)
