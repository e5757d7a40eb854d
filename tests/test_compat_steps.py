"""Training steps, losses and metrics that a subclass of keras.Model defines anew."""

import numpy as np
import pytest

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv import compat
from pyconv.compat.keras import layers, ops

RANDOM = np.random.default_rng(0)
X = RANDOM.random((50, 4)).astype(np.float32)
Y = RANDOM.random((50, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def keras3():
    compat.select("keras3")
    yield
    compat.select("keras2")


def pair(kind, **kwargs):
    """Return a model of one's own class and a plain one, of the same weights."""
    models = []
    for made in (kind, keras.Model):
        keras.utils.set_random_seed(3)
        inputs = keras.Input((4,))
        hidden = layers.Dense(8, "relu", **kwargs)(inputs)
        models.append(made(inputs, layers.Dense(3)(hidden)))
    return models


class Guide(keras.Model):
    """As Keras's guide has it."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        trainable_vars = self.trainable_variables
        gradients = tape.gradient(loss, trainable_vars)
        self.optimizer.apply(gradients, trainable_vars)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=len(x))
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class Around(keras.Model):
    def train_step(self, data):
        return {**super().train_step(data), "mine": 10.0}

    def test_step(self, data):
        return {**super().test_step(data), "mine": 5.0}


class Passing(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(x, y, y_pred, sample_weight, training)


class OldPassing(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        return super().compute_loss(x, y, y_pred, sample_weight)


class Metrics(keras.Model):
    def compute_metrics(self, x, y, y_pred, sample_weight):
        return super().compute_metrics(x, y, y_pred, sample_weight)


@pytest.mark.parametrize("kind", [Guide, Around, Passing, OldPassing, Metrics])
@pytest.mark.parametrize("kwargs", [{}, {"kernel_regularizer": "l2"}])
def test_a_step_of_ones_own_is_keras_s(kind, kwargs):
    own, plain = pair(kind, **kwargs)
    results = []
    for model in (own, plain):
        keras.utils.set_random_seed(0)
        model.compile("adam", "mse", metrics=["mae"])
        history = model.fit(X, Y, 16, epochs=3, validation_split=0.2, verbose=0).history
        results.append((history, model.evaluate(X, Y, verbose=0), model.train_on_batch(X, Y)))
    assert ("mine" in results[0][0]) == (kind is Around)
    for name, values in results[1][0].items():
        np.testing.assert_allclose(results[0][0][name], values, 1e-5)
    for mine, theirs in zip(results[0][1:], results[1][1:], strict=True):
        np.testing.assert_allclose(mine[:2], theirs, 1e-5)
    for a, b in zip(own.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    if kind is Around:
        assert results[0][0]["mine"] == [10.0] * 3
        assert results[0][0]["val_mine"] == [5.0] * 3


def test_sample_weights_arrive():
    own, plain = pair(Passing)
    weight = RANDOM.random(50)
    for model in (own, plain):
        model.compile("sgd", "mse", weighted_metrics=["mae"])
    mine, theirs = (m.train_on_batch(X, Y, sample_weight=weight) for m in (own, plain))
    np.testing.assert_allclose(mine, theirs, 1e-5)
    np.testing.assert_allclose(own.get_weights()[0], plain.get_weights()[0], atol=1e-6)


def test_a_loss_of_ones_own_of_the_outputs():
    class Scaled(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean(ops.square(y - y_pred)) * 2 + ops.mean(ops.abs(y_pred))

    model, _ = pair(Scaled)
    model.compile(keras.optimizers.SGD(0.1))
    p, bias = model.predict(X, verbose=0), model.get_weights()[3]
    loss = model.train_on_batch(X, Y)
    assert loss == pytest.approx(2 * ((Y - p) ** 2).mean() + abs(p).mean(), rel=1e-5)
    slope = (4 * (p - Y) + np.sign(p)).sum(axis=0) / p.size
    np.testing.assert_allclose(model.get_weights()[3], bias - 0.1 * slope, atol=1e-6)


class Tracked(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tracker = keras.metrics.Mean(name="loss")
        self.error = keras.metrics.MeanAbsoluteError(name="mae")

    @property
    def metrics(self):
        return [self.tracker, self.error]

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = keras.losses.MeanSquaredError()(y, y_pred)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.tracker.update_state(loss, sample_weight=len(x))
        self.error.update_state(y, y_pred)
        return {"loss": self.tracker.result(), "mae": self.error.result()}

    def test_step(self, data):
        x, y = data
        y_pred = self(x, training=False)
        self.tracker.update_state(keras.losses.MeanSquaredError()(y, y_pred))
        return {"loss": self.tracker.result()}


def test_metrics_of_ones_own_without_a_loss():
    own, plain = pair(Tracked)
    histories = []
    for model, loss in ((own, None), (plain, "mse")):
        keras.utils.set_random_seed(0)
        model.compile("adam", loss, metrics=None if loss is None else ["mae"])
        histories.append(model.fit(X, Y, epochs=3, verbose=0).history)
    for name in ("loss", "mae"):
        np.testing.assert_allclose(histories[0][name], histories[1][name], 1e-5)
    assert own.evaluate(X, Y, 50, verbose=0) == pytest.approx(plain.evaluate(X, Y, verbose=0)[0])


def test_a_model_trained_on_inputs_alone():
    class Reconstruction(keras.Model):
        def train_step(self, x):
            with tf.GradientTape() as tape:
                loss = keras.losses.MeanSquaredError()(x, self(x, training=True))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"loss": loss}

    inputs = keras.Input((4,))
    model = Reconstruction(inputs, layers.Dense(4)(layers.Dense(2)(inputs)))
    model.compile(keras.optimizers.Adam(0.05))
    losses = model.fit(X, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.fit(iter([(X,), (X,)]), verbose=0).history["loss"][0] < losses[0]


def test_an_attribute_that_is_a_metric_is_shown_and_reset():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.custom = keras.metrics.Mean(name="custom")
            self.dense = layers.Dense(2, activity_regularizer="l2")

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = super().compute_loss(x, y, y_pred, sample_weight, training)
            self.custom.update_state(loss * 4)
            return loss

    model = Own()
    model.compile("sgd", "mse")
    x, y = np.ones((32, 4)), np.full((32, 2), 2.0)
    history = model.fit(x, y, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["custom"], 4 * np.array(history["loss"]), 1e-5)
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    assert logs["custom"] == pytest.approx(4 * logs["loss"])
    assert [metric.name for metric in model.metrics] == ["loss", "custom"]


def test_predict_step():
    class Halved(keras.Model):
        def predict_step(self, data):
            return super().predict_step(data) / 2

    own, plain = pair(Halved)
    half = plain.predict(X, verbose=0) / 2
    np.testing.assert_allclose(own.predict(X, verbose=0), half)
    np.testing.assert_allclose(own.predict_on_batch(X[:1]), half[:1], 1e-5, 1e-7)


def test_no_loss_at_all():
    model, _ = pair(Passing)
    model.compile("sgd")
    with pytest.raises(ValueError, match="No loss to compute"):
        model.fit(X, Y, verbose=0)


def test_a_model_that_is_not_to_be_trained():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(3)(inputs), trainable=False)
    assert model.trainable_weights == []
    assert len(model.non_trainable_weights) == 2
    with pytest.raises(TypeError, match="unknown arguments"):
        keras.Model(inputs, layers.Dense(3)(inputs), trains=False)


def test_results_of_own_steps_are_listed_after_the_metrics():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(1)

        def call(self, x):
            return self.head(x)

        def test_step(self, data):
            x, y = data
            self.compiled_metrics.update_state(y, self(x, training=False))
            found = {metric.name: metric.result() for metric in self.metrics}
            return {"extra": 7.0, "loss": 3.0, "apart": 5.0, **found}

    net = Net()
    net.compile("sgd", "mse", metrics=["mae"])
    net.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    listed = net.evaluate(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    named = net.evaluate(np.ones((4, 2)), np.ones((4, 1)), verbose=0, return_dict=True)
    error = abs(float(net.predict(np.ones((1, 2)), verbose=0)[0, 0]) - 1)
    assert listed[1:] == pytest.approx([error, 5.0, 7.0])
    assert named["extra"] == 7.0
