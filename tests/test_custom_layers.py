"""Layers of the user's own: build, add_weight, call; and what models do with them."""

import numpy as np
import pytest

import pyconv
from pyconv import layers


class Scaled(layers.Layer):
    """``x * factor``, with Keras's way of building."""

    def __init__(self, regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.regularizer = regularizer

    def build(self, input_shape):
        self.factor = self.add_weight(
            shape=(input_shape[-1],),
            initializer="ones",
            regularizer=self.regularizer,
            constraint="non_neg",
            name="factor",
        )
        self.seen = self.add_weight((), "zeros", trainable=False)
        super().build(input_shape)
        self.built = True

    def forward(self, x, training):
        self.x = x
        return x * self.factor

    def backward(self, dy, need_dx):
        self.grads[0][...] = (dy * self.x).sum(axis=0)
        return dy * self.factor if need_dx else None


def test_a_layer_that_trains():
    model = pyconv.Sequential([pyconv.Input((3,)), Scaled("l2"), layers.Dense(1)])
    first = model.layers[0]
    assert list(first.named_weights) == ["factor", "variable_1"]
    assert len(first.trainable_variables) == len(first.non_trainable_variables) == 1
    assert first.output_shape == (None, 3)
    model.compile(pyconv.optimizers.SGD(0.1), "mse")
    x = np.random.default_rng(0).standard_normal((16, 3))
    losses = model.fit(x, x[:, :1], epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert not np.array_equal(first.factor, [1, 1, 1])
    assert first.factor.min() >= 0
    assert first.losses == [pytest.approx(0.01 * (first.factor**2).sum(), rel=1e-5)]
    again = pyconv.Sequential.from_config(model.get_config(), {"Scaled": Scaled})
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


class Doubled(layers.Layer):
    def call(self, x, training=False):
        return np.concatenate([x, x], axis=-1) * (2 if training else 1)


def test_a_layer_with_call():
    layer = Doubled()
    assert layer([[1.0]]).tolist() == [[1, 1]]
    assert layer([[1.0]], training=True).tolist() == [[2, 2]]
    assert layer.output_shape == (None, 2)
    model = pyconv.Sequential([pyconv.Input((4, 3)), Doubled(), layers.Dense(2)])
    assert model.output_shape == (None, 4, 2)
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 4, 3)), np.ones((2, 4, 2)), verbose=0)
    behind = pyconv.Sequential([pyconv.Input((3,)), layers.Dense(2, name="d"), Doubled(name="two")])
    behind.compile("sgd", "mse")
    with pytest.raises(NotImplementedError, match="Doubled 'two': it must implement backward"):
        behind.fit(np.ones((2, 3)), np.ones((2, 4)), verbose=0)


def test_a_build_that_fails_leaves_nothing():
    class Odd(layers.Layer):
        def build(self, input_shape):
            self.add_weight((2,), name="a")
            self.add_weight((2,), name="a")

    layer = Odd(name="odd")
    with pytest.raises(ValueError, match="Odd 'odd': it has a weight named 'a' already"):
        layer.build((None, 2))
    assert not layer.built
    assert not layer.weights


class Shifted(layers.Dense):
    """A Dense layer with a weight of its own, which Keras's way of building adds last or first."""

    first = False

    def build(self, input_shape):
        if not self.first:
            super().build(input_shape)
            assert self.kernel.shape == (input_shape[-1], self.units)
        self.shift = self.add_weight((self.units,), "zeros", constraint="non_neg", name="shift")
        if self.first:
            super().build(input_shape)

    def forward(self, x, training):
        return super().forward(x, training) - self.shift

    def backward(self, dy, need_dx):
        self.grads[-1][...] = -dy.sum(axis=0)
        return super().backward(dy, need_dx)


def test_a_build_that_goes_on_from_that_of_a_layer():
    layer = Shifted(3, name="s")
    with pytest.raises(ValueError, match="Shifted 's': input must be"):
        layer.build((None, None))
    assert not layer.weights
    model = pyconv.Sequential([pyconv.Input((4,)), layer])
    assert list(layer.named_weights) == ["kernel", "bias", "shift"]
    model.compile(pyconv.optimizers.SGD(0.5), "mse")
    before = model.get_weights()
    model.fit(np.ones((2, 4)), np.full((2, 3), -9.0), verbose=0)
    assert not any(map(np.array_equal, before, model.get_weights()))
    layer.unbuild()
    layer.first = True
    layer.build((None, 5))
    assert list(layer.named_weights) == ["shift", "kernel", "bias"]
    assert list(layer.weight_constraints) == ["shift"]


def test_a_layer_without_forward():
    with pytest.raises(NotImplementedError, match="must implement forward or call"):
        layers.Layer()(np.ones((1, 2)))


def test_freezing_a_model_freezes_its_layers():
    base = [layers.Dense(3, "tanh"), layers.BatchNormalization()]
    model = pyconv.Sequential([pyconv.Input((2,)), *base])
    model.trainable = False
    assert [layer.trainable for layer in base] == [False, False]
    assert not model.trainable_weights
    model.trainable = True
    base[0].trainable = False
    assert len(model.trainable_variables) == 2
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    kernel = base[0].get_weights()[0]
    model.fit(np.random.default_rng(0).random((8, 2)), np.ones((8, 1)), verbose=0)
    assert np.array_equal(base[0].get_weights()[0], kernel)
    assert base[1].moving_mean.any()


def test_frozen_normalization_does_not_move():
    norm = layers.BatchNormalization()
    model = pyconv.Sequential([pyconv.Input((2,)), layers.Dense(3), norm, layers.Dense(1)])
    norm.trainable = False
    model.compile("sgd", "mse")
    model.fit(np.random.default_rng(0).random((8, 2)), np.ones((8, 1)), verbose=0)
    assert not norm.moving_mean.any()
