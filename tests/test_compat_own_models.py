"""Models of one's own of several inputs and outputs, and with a build of their own, with torch."""

import copy
import pickle

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


# --- a build of one's own -------------------------------------------------------------------------


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
    check_step(model, X, Y, weights, ((y - 1) ** 2).mean())
    model.build((None, 2))
    assert model.count_params() == 3
    assert getattr(model, "seen", (None, 2)) == (None, 2)


def test_paths_of_weights_in_a_model_of_ones_own():
    model = Base()
    model(X)
    assert [w.path for w in model.weights] == ["base/dense/kernel", "base/dense/bias"]
    model.dense.enable_lora(1)
    assert model.dense.lora_kernel_a.path == "base/dense/lora_kernel_a"
