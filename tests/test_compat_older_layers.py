"""Layers that Keras had once, and calls over layers of noise."""

import numpy as np
import pytest

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv import compat
from pyconv.compat.keras import backend as K  # noqa: N812
from pyconv.compat.keras import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).astype(np.float32)


@pytest.fixture(autouse=True)
def keras2():
    compat.select("keras2")
    yield
    compat.select("keras2")


def trained(layer):
    """Return a layer that a model has been trained with, and is read from a file."""
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((6, model.output_shape[-1])), verbose=0)
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    return layer


def test_thresholded_relu():
    layer = trained(layers.ThresholdedReLU(theta=0.5))
    given = np.array([[0.4, 0.5, np.nextafter(np.float32(0.5), 1), -3.0]], np.float32)
    assert np.array_equal(layer(given), np.where(given > 0.5, given, 0))


def test_maxout():
    layer = trained(layers.MaxoutDense(3, nb_feature=2, W_regularizer="l2"))
    w, b = layer.get_weights()
    np.testing.assert_allclose(layer(X), (np.einsum("nc,fco->nfo", X, w) + b).max(1), rtol=1e-5)


@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
def test_highway(activation):
    layer = trained(layers.Highway(activation=activation))
    w, b, gate, gate_b = layer.get_weights()
    y = X @ w + b
    y = {None: y, "relu": np.maximum(y, 0), "tanh": np.tanh(y)}[activation]
    t = 1 / (1 + np.exp(-(X @ gate + gate_b)))
    np.testing.assert_allclose(layer(X), t * y + (1 - t) * X, rtol=1e-4, atol=1e-6)
    fresh = layers.Highway()
    fresh(X)
    assert np.all(fresh.get_weights()[3] == -2)


class Always(layers.Dropout):
    def call(self, inputs):
        return super().call(inputs, training=True)


class Other(layers.Dropout):
    def call(self, inputs):
        return super().call(inputs) + 1


@pytest.mark.parametrize("functional", [True, False])
def test_dropout_that_is_always_on(functional):
    if functional:
        inputs = keras.Input((400,))
        model = keras.Model(inputs, Always(0.5)(inputs))
    else:
        model = keras.Sequential([keras.Input((400,)), Always(0.5)])
    y = model.predict(np.ones((2, 400)), verbose=0)
    assert set(np.unique(y)) == {0.0, 2.0}
    assert 0.3 < (y == 0).mean() < 0.7
    assert not np.array_equal(y, model.predict(np.ones((2, 400)), verbose=0))
    other = keras.Sequential([keras.Input((400,)), Other(0.5)])
    assert set(np.unique(other.predict(np.ones((2, 400)), verbose=0))) == {2.0}
    y = np.asarray(other(np.ones((2, 400)), training=True))
    assert set(np.unique(y)) == {1.0, 3.0}


def test_outputs_have_the_names_of_layers_of_ones_own():
    class Length(layers.Layer):
        def call(self, inputs):
            return K.sqrt(K.sum(K.square(inputs), -1, keepdims=True))

    inputs = keras.Input((4,))
    outputs = [Length(name="length")(inputs), layers.Dense(2, name="other")(inputs)]
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", metrics={"length": "mae"})
    assert model.output_names == ["length", "other"]
    assert model.get_layer("length").output.shape == (None, 1)


def test_shapes_that_say_none_where_the_batch_is_known():
    class Mixed(layers.Layer):
        def call(self, inputs):
            a, b = inputs
            return a * b[:, : a.get_shape().as_list()[1]]

    class Same(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(1,), initializer="ones", name="w")
            super().build(input_shape)

        def call(self, inputs):
            return inputs * self.w

        def compute_output_shape(self, input_shape):
            return (None, 4)

    a, b = keras.Input((4,)), keras.Input((5,))
    model = keras.Model([a, b], Mixed()([Same()(a), b]))
    model.compile("sgd", "mse")
    other = RNG.normal(size=(6, 5)).astype(np.float32)
    np.testing.assert_allclose(model.predict([X, other], verbose=0), X * other[:, :4], rtol=1e-5)
    model.fit([X, other], X, batch_size=6, verbose=0)


def test_arrays_in_calls_have_what_tensors_have():
    class Named(layers.Layer):
        def call(self, inputs):
            return inputs * inputs.get_shape().as_list()[-1]

    model = keras.Sequential([Named(input_shape=(4,)), layers.Flatten()])
    found = model.predict(X, verbose=0)
    np.testing.assert_allclose(found, 4 * X, rtol=1e-6)
    assert type(found) is np.ndarray


def test_small_functions_of_scripts():
    assert K.count_params(np.ones((3, 4))) == 12
    reduction = tf.keras.losses.Reduction
    rows = tf.keras.losses.MeanSquaredError(reduction=reduction.NONE)(X, 0 * X)
    np.testing.assert_allclose(rows, (X**2).mean(-1), rtol=1e-6)
    np.testing.assert_allclose(
        tf.nn.compute_average_loss(rows, global_batch_size=3), rows.sum() / 3, rtol=1e-6
    )
    np.testing.assert_allclose(tf.nn.compute_average_loss(rows), rows.mean(), rtol=1e-6)
    assert np.array_equal(tf.map_fn(lambda row: row[::-1], X), X[:, ::-1])
    dense = layers.Dense(2)
    dense(X)
    with tf.GradientTape():
        names = [weight.name for weight in dense.trainable_variables]
    assert names == [weight.name for weight in dense.trainable_variables]


def test_a_history_that_is_given_has_both_names():
    model = keras.Sequential([layers.Dense(1, input_shape=(4,))])
    model.compile("sgd", "mse")
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: 0.5)
    history = keras.callbacks.History()
    model.fit(X, X[:, :1], callbacks=[scheduler, history], verbose=0, show_accuracy=False)
    assert history.history["lr"] == history.history["learning_rate"] == [0.5]


@pytest.mark.parametrize("by", ["fit", "tape"])
def test_variables_of_tensorflow_are_weights_of_layers(by):
    class Linear(layers.Layer):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(tf.ones((4, 2)) / 2, name="w")
            self.b = tf.Variable(initial_value=tf.zeros((2,)), trainable=True)
            self.seen = tf.Variable(tf.zeros((2,)), trainable=False)

        def call(self, inputs):
            return tf.matmul(inputs, self.w) + self.b

    layer = Linear()
    assert [w is own for w, own in zip(layer.weights, (layer.w, layer.b, layer.seen), strict=True)]
    assert len(layer.trainable_weights) == 2
    assert layer.w.name == "w"
    y = RNG.normal(size=(6, 2)).astype(np.float32)
    error = X @ (np.ones((4, 2)) / 2) - y
    if by == "fit":
        model = keras.Sequential([keras.Input((4,)), layer])
        model.compile(keras.optimizers.SGD(0.5), "mse")
        model.fit(X, y, batch_size=6, verbose=0)
    else:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(X) - y))
        slopes = tape.gradient(loss, layer.trainable_variables)
        keras.optimizers.SGD(0.5).apply_gradients(
            zip(slopes, layer.trainable_variables, strict=True)
        )
    np.testing.assert_allclose(layer.w, 0.5 - 0.5 * X.T @ error * 2 / 12, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(layer.b, -0.5 * error.sum(0) * 2 / 12, rtol=1e-4, atol=1e-6)


def test_a_variable_that_others_hold_stays_the_same_numbers():
    shared = tf.Variable([1.0, 2.0])

    class Holder(layers.Layer):
        def __init__(self):
            super().__init__()
            self.held = shared
            self.count = tf.Variable(0, trainable=False)

    layer = Holder()
    shared.assign_add([1.0, 1.0])
    assert layer.held.numpy().tolist() == [2.0, 3.0]
    layer.held.assign([5.0, 6.0])
    assert shared.numpy().tolist() == [5.0, 6.0]
    layer.count.assign_add(1)
    assert int(layer.count) == 1
