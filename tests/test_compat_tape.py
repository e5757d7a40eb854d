"""Gradients of what is computed of models' outputs: tapes, layers and losses of one's own."""

import copy
import pickle

import numpy as np
import pytest
import torch

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv import compat
from pyconv.compat.keras import layers, ops

RANDOM = np.random.default_rng(0)
X = RANDOM.random((6, 8, 8, 3)).astype(np.float32)
Y = RANDOM.integers(0, 5, 6)


@pytest.fixture(autouse=True)
def keras3():
    compat.select("keras3")
    yield
    compat.select("keras2")


def network(**kwargs):
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(5, activation="softmax", **kwargs),
        ]
    )


@pytest.mark.parametrize("training", [True, False])
def test_a_loop_of_ones_own_is_train_on_batch(training):
    own = network(kernel_regularizer="l2")
    model = keras.models.clone_model(own)
    model.set_weights(own.get_weights())
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    optimizer, loss_fn = keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy()
    for _ in range(4):
        with tf.GradientTape() as tape:
            loss = loss_fn(Y, own(X, training=training)) + sum(own.losses)
        grads = tape.gradient(loss, own.trainable_variables)
        optimizer.apply_gradients(zip(grads, own.trainable_variables, strict=True))
        assert float(loss) == pytest.approx(model.train_on_batch(X, Y), rel=1e-6)
    for a, b in zip(own.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_penalty_that_the_loss_leaves_out_has_no_gradient():
    model = network(kernel_regularizer="l2")
    loss_fn = keras.losses.SparseCategoricalCrossentropy()
    with tf.GradientTape() as tape:
        loss = loss_fn(Y, model(X, training=True))
    with_penalty = tape.gradient(loss, model.trainable_variables)
    plain = network()
    plain.set_weights(model.get_weights())
    with tf.GradientTape() as tape:
        loss = loss_fn(Y, plain(X, training=True))
    for a, b in zip(with_penalty, tape.gradient(loss, plain.trainable_variables), strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_against_torch_by_input_and_weights():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(2)])
    x = tf.convert_to_tensor(RANDOM.random((5, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x * 2, training=True)
        loss = tf.reduce_sum(tf.square(y)[:, 0] + tf.exp(y[:, 1]))
    dx, grads = tape.gradient(loss, [x, model.trainable_variables])
    w1, b1, w2, b2 = (torch.tensor(w, requires_grad=True) for w in model.get_weights())
    t = torch.tensor(np.array(x), requires_grad=True)
    out = torch.tanh(2 * t @ w1 + b1) @ w2 + b2
    (out[:, 0] ** 2 + out[:, 1].exp()).sum().backward()
    for mine, theirs in zip([dx, *grads], [t, w1, b1, w2, b2], strict=True):
        np.testing.assert_allclose(mine, theirs.grad.numpy(), 1e-4, 1e-5)


def test_what_the_target_does_not_depend_on_has_no_gradient():
    x, other = tf.constant([1.0, 2.0]), tf.constant([1.0])
    with tf.GradientTape() as tape:
        tape.watch([x, other])
        y = tf.reduce_sum(x * x)
    assert tape.gradient(y, other) is None
    assert tape.gradient(y, other, unconnected_gradients="zero").tolist() == [0.0]
    assert tape.gradient(y, {"a": x})["a"].tolist() == [2.0, 4.0]
    assert tape.gradient(x, x, output_gradients=[3.0, 4.0]).tolist() == [3.0, 4.0]


def test_watch_wants_an_array_of_its_own():
    with tf.GradientTape() as tape, pytest.raises(TypeError, match="wants what tf.convert_to"):
        tape.watch(np.ones(3))


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (keras.losses.MeanSquaredError(), np.ones((4, 3))),
        (keras.losses.CategoricalCrossentropy(label_smoothing=0.1), np.eye(3)[[0, 1, 2, 0]]),
        (keras.losses.SparseCategoricalCrossentropy(ignore_class=1), np.array([0, 1, 2, 0])),
        (keras.losses.BinaryCrossentropy(from_logits=True), np.ones((4, 3))),
        (keras.losses.Huber(reduction="sum"), np.ones((4, 3))),
        (keras.losses.MeanAbsoluteError(reduction=None), np.ones((4, 3))),
        (
            keras.losses.LossFunctionWrapper(lambda t, p: ops.mean((t - p) ** 4, -1)),
            np.ones((4, 3)),
        ),
    ],
)
@pytest.mark.parametrize("weight", [None, np.array([0.5, 2.0, 1.0, 0.0])])
def test_losses_of_recorded_arrays(loss, y, weight):
    p = tf.constant(RANDOM.random((4, 3)).astype(np.float32) + 0.1)
    with tf.GradientTape() as tape:
        tape.watch(p)
        value = loss(y, p, sample_weight=weight)
    got = tape.gradient(value, p)
    plain = np.array(p)
    np.testing.assert_allclose(value, loss(y, plain, sample_weight=weight), 1e-6)
    for at in np.ndindex(*plain.shape):
        sides = []
        for step in (1e-2, -1e-2):
            moved = plain.copy()
            moved[at] += step
            sides.append(np.sum(loss(y, moved, sample_weight=weight), dtype=np.float64))
        assert got[at] == pytest.approx((sides[0] - sides[1]) / 2e-2, abs=2e-3, rel=5e-3)


# --- layers and losses of one's own -------------------------------------------------------------


class Own(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight((input_shape[-1], self.units))
        self.b = self.add_weight((self.units,), "zeros")
        self.steps = self.add_weight((), "zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.steps.assign(self.steps + 1)
        return ops.relu(ops.matmul(x, self.w) + self.b)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)


def test_a_layer_of_ones_own_trains_as_the_library_s():
    own = keras.Sequential([keras.Input((4,)), Own(8), Own(3), layers.Dense(2, "softmax")])
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, "relu"), layers.Dense(3, "relu"),
         layers.Dense(2, "softmax")]
    )  # fmt: skip
    model.set_weights([w for w in own.get_weights() if w.shape])
    x, y = RANDOM.random((64, 4)), RANDOM.integers(0, 2, 64)
    histories = []
    for one in (own, model):
        keras.utils.set_random_seed(0)
        one.compile("adam", "sparse_categorical_crossentropy")
        histories.append(one.fit(x, y, epochs=4, verbose=0).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-6)
    np.testing.assert_allclose(own.predict(x, verbose=0), model.predict(x, verbose=0), 1e-5)
    assert own.layers[0].steps == 8
    dx = own.input_gradient(x[:3], class_index=1)
    np.testing.assert_allclose(dx, model.input_gradient(x[:3], class_index=1), 1e-4, 1e-6)
    for twin in (copy.deepcopy(own.layers[0]), pickle.loads(pickle.dumps(own.layers[0].w))):
        assert twin is not None


class Mixed(layers.Layer):
    """A layer that calls another one and then something else."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = layers.Rescaling(2.0)

    def call(self, x):
        return ops.square(self.scale(x))


def test_a_call_of_a_layer_within():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3), Mixed()])
    model.compile("sgd", "mse")
    x = np.ones((2, 3), np.float32)
    w, b = model.get_weights()
    before = x @ w + b
    model.train_on_batch(x, np.zeros((2, 3)))
    slope = 2 * (4 * before**2) * 8 * before / 6  # of mean((2h)^4)
    np.testing.assert_allclose(model.get_weights()[1], b - 0.01 * slope.sum(axis=0), 1e-4)


class Plain(layers.Layer):
    def call(self, x):
        return np.tanh(np.asarray(x))


def test_a_call_that_loses_the_gradient_says_so():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3), Plain(name="lossy")])
    model.compile("sgd", "mse")
    with pytest.raises(NotImplementedError, match="'lossy': its call makes a plain array"):
        model.train_on_batch(np.ones((2, 3)), np.ones((2, 3)))


def test_losses_of_ones_own_have_the_derived_gradient():
    calls = []

    def fourth(y_true, y_pred):
        calls.append(1)
        return ops.mean(ops.square(ops.square(y_true - y_pred)), axis=-1)

    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), fourth)
    assert model.loss is fourth
    x = np.ones((4, 3), np.float32)
    w, b = model.get_weights()
    error = x @ w + b - 1
    model.train_on_batch(x, np.ones((4, 2)))
    wanted = b - 0.1 * (4 * error**3 / 8).sum(axis=0)
    np.testing.assert_allclose(model.get_weights()[1], wanted, 1e-5)
    assert len(calls) == 2  # not two for each output


def test_a_loss_in_other_functions_has_its_gradient_by_differences():
    def cumulative(y_true, y_pred):
        return np.cumsum(np.square(y_true - y_pred), axis=-1)[:, -1]

    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), cumulative)
    x = np.ones((4, 3), np.float32)
    w, b = model.get_weights()
    error = x @ w + b - 1
    model.train_on_batch(x, np.ones((4, 2)))
    np.testing.assert_allclose(model.get_weights()[1], b - 0.1 * 2 * error[0], 1e-4)
