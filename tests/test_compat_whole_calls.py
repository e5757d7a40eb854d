"""Models of one's own that are not made of layers alone, and losses that calls add, with torch."""

import copy
import pickle

import numpy as np
import pytest
import torch

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


def in_torch(model):
    """The model's weights, in float64."""
    return [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in model.get_weights()]


def check_step(model, weights, loss, rate=0.1):
    """Make a step on X and Y; loss and weights must be as torch's."""
    loss.backward()
    history = model.fit(X, Y, batch_size=8, verbose=0).history
    np.testing.assert_allclose(history["loss"], [loss.item()], rtol=1e-6)
    for found, weight in zip(model.get_weights(), weights, strict=True):
        gradient = 0 if weight.grad is None else weight.grad
        np.testing.assert_allclose(found, (weight - rate * gradient).detach(), atol=1e-6)


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
    check_step(model, weights, whole_loss(weights))
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
    check_step(model, weights, ((y - 1) ** 2).mean())


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
    check_step(model, weights, loss)


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
    check_step(model, weights, ((y - 1) ** 2).mean() + 0.5 * y.mean())


# --- several inputs and outputs -------------------------------------------------------------------


class Heads(keras.Model):
    def __init__(self, form="dict"):
        super().__init__()
        self.form = form
        self.a, self.b = layers.Dense(1), layers.Dense(2)

    def call(self, x):
        found = self.a(x), self.b(x)
        return {"a": found[0], "b": found[1]} if self.form == "dict" else found


@pytest.mark.parametrize("form", ["dict", "tuple"])
@pytest.mark.parametrize("source", ["arrays", "generator", "dataset"])
def test_a_model_of_several_outputs(form, source):
    model = Heads(form)
    targets = {"a": np.ones((8, 1)), "b": np.zeros((8, 2))}
    arguments = {"loss": {"a": "mse", "b": "mae"}, "loss_weights": {"a": 0.5, "b": 2.0}}
    if form == "tuple":
        targets = tuple(targets.values())
        arguments = {name: list(value.values()) for name, value in arguments.items()}
    model.compile(keras.optimizers.SGD(0.1), **arguments)
    data = {
        "arrays": lambda: (X, targets),
        "generator": lambda: (iter([(X, targets)]),),
        "dataset": lambda: (tf.data.Dataset.from_tensor_slices((X, targets)).batch(8),),
    }[source]()
    history = model.fit(*data, verbose=0).history
    names = ("a_loss", "b_loss") if form == "dict" else ("dense_loss", "dense_1_loss")
    assert set(history) == {"loss", *names}
    np.testing.assert_allclose(
        history["loss"], 0.5 * history[names[0]][0] + 2.0 * history[names[1]][0], rtol=1e-6
    )
    found = model.predict(X, verbose=0)
    assert isinstance(found, dict if form == "dict" else tuple)
    parts = list(found.values()) if form == "dict" else list(found)
    assert [part.shape for part in parts] == [(8, 1), (8, 2)]


def test_several_outputs_are_trained_as_torch_does():
    model = Heads()
    model.compile(keras.optimizers.SGD(0.1), {"a": "mse", "b": "mae"}, {"a": 0.5, "b": 2.0})
    model(X)
    weights = in_torch(model)
    x = torch.tensor(X).double()
    a, b = x @ weights[0] + weights[1], x @ weights[2] + weights[3]
    loss = 0.5 * ((a - 1) ** 2).mean() + 2.0 * b.abs().mean()
    loss.backward()
    targets = {"a": np.ones((8, 1)), "b": np.zeros((8, 2))}
    history = model.fit(X, targets, batch_size=8, verbose=0).history
    np.testing.assert_allclose(history["loss"], [loss.item()], rtol=1e-6)
    for found, weight in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(found, (weight - 0.1 * weight.grad).detach(), atol=1e-6)


class Sums(keras.Model):
    """A pair of inputs, or a dict of them."""

    def __init__(self):
        super().__init__()
        self.a, self.b = layers.Dense(1), layers.Dense(1)

    def call(self, inputs):
        x, y = (inputs["p"], inputs["q"]) if isinstance(inputs, dict) else inputs
        return self.a(x) + self.b(y)


Q = np.random.default_rng(1).random((8, 3), np.float32)


@pytest.mark.parametrize("form", [dict, list, tuple])
def test_a_model_of_several_inputs(form, tmp_path):
    x = {"p": X, "q": Q} if form is dict else form([X, Q])
    model = Sums()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    y = model(x)
    a, c, b, d = model.get_weights()
    np.testing.assert_allclose(y, X @ a + c + Q @ b + d, atol=1e-6)
    np.testing.assert_allclose(model.predict(x, verbose=0), y, atol=1e-6)
    history = model.fit(x, Y, epochs=50, validation_data=(x, Y), verbose=0).history
    assert history["val_loss"][-1] < 0.1 * history["loss"][0]
    for made in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert isinstance(made, Sums)
        np.testing.assert_array_equal(made.predict(x, verbose=0), model.predict(x, verbose=0))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Sums": Sums})
    assert isinstance(again, Sums)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_several_inputs_that_cannot_be_followed():
    class Switched(Sums):
        def call(self, inputs, training=False):
            return super().call(inputs) if training else self.a(inputs[0])

    model = Switched()
    given = model.predict([X, Q], verbose=0)
    np.testing.assert_allclose(given, model.a(X), rtol=1e-6)
    assert not np.allclose(model([X, Q], training=True), given)
    model.compile("sgd", "mse")
    with pytest.raises(NotImplementedError, match=r"other things in training.*a train_step"):
        model.fit([X, Q], Y, verbose=0)


def test_a_subclass_of_several_inputs_and_outputs():
    class Wired(keras.Model):
        pass

    a, b = keras.Input((2,)), keras.Input((3,))
    merged = layers.Concatenate()([a, b])
    model = Wired([a, b], [layers.Dense(1)(merged), layers.Dense(2)(b)])
    model.compile("sgd", ["mse", "mse"])
    history = model.fit([X, Q], [Y, np.zeros((8, 2))], verbose=0).history
    assert set(history) >= {"dense_loss", "dense_1_loss", "loss"}
    assert isinstance(model, Wired)
    assert [len(part[0]) for part in model.predict([X, Q], verbose=0)] == [1, 2]


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


class Base(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, kernel_initializer="ones")

    def call(self, x):
        return self.dense(x)


class BuildsLayers(Base):
    def build(self, input_shape):
        self.dense.build(input_shape)


class SaysBuilt(Base):
    def build(self, input_shape):
        self.seen = tuple(input_shape)
        self.built = True


class MakesLayers(keras.Model):
    def build(self, input_shape):
        self.dense = layers.Dense(1, kernel_initializer="ones")
        super().build(input_shape)

    def call(self, x):
        return self.dense(x)


class BuildsBoth(BuildsLayers):
    def build(self, input_shape):
        super().build(input_shape)
        self.built = True


class MakesWeights(keras.Model):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], 1), initializer="ones")
        self.bias = self.add_weight(shape=(1,), initializer="zeros")

    def call(self, x):
        return ops.matmul(x, self.kernel) + self.bias


@pytest.mark.parametrize("kind", [BuildsLayers, SaysBuilt, MakesLayers, BuildsBoth, MakesWeights])
def test_a_build_of_a_model_of_ones_own(kind):
    for begin in (lambda m: m.build((None, 2)), lambda m: m(X), lambda m: m.predict(X, verbose=0)):
        model = kind()
        assert not model.built
        begin(model)
        assert model.built
        assert model.count_params() == 3
    weights = in_torch(model)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    y = torch.tensor(X).double() @ weights[0] + weights[1]
    check_step(model, weights, ((y - 1) ** 2).mean())
    model.build((None, 2))
    assert model.count_params() == 3
    assert getattr(model, "seen", (None, 2)) == (None, 2)


def test_paths_of_weights_in_a_model_of_ones_own():
    model = Base()
    model(X)
    assert [w.path for w in model.weights] == ["base/dense/kernel", "base/dense/bias"]
    model.dense.enable_lora(1)
    assert model.dense.lora_kernel_a.path == "base/dense/lora_kernel_a"


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
