"""Losses and metrics that scripts write with ``keras.backend`` or ``keras.ops``."""

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv.compat._unsupported import NotInPyconvError

K, ops = keras.backend, keras.ops
RNG = np.random.default_rng(0)
X, Y = RNG.random((12, 3)).astype(np.float32), RNG.random((12, 2)).astype(np.float32)
LABELS = np.eye(2, dtype=np.float32)[RNG.integers(0, 2, 12)]


def fitted(loss, activation=None, y=Y, **arguments):
    layer = keras.layers.Dense(2, activation=activation, input_shape=(3,))
    model = keras.models.Sequential([layer])
    model.set_weights([np.arange(6).reshape(3, 2) / 10, np.zeros(2)])
    model.compile("sgd", loss, **arguments)
    return model.fit(X, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history


def k_squared(y_true, y_pred):
    return K.mean(K.square(y_pred - y_true), axis=-1)


def ops_squared(y_true, y_pred):
    return ops.mean(ops.square(ops.subtract(y_pred, y_true)), axis=-1)


def k_weighted_crossentropy(y_true, y_pred):
    y_pred = K.clip(y_pred / K.sum(y_pred, axis=-1, keepdims=True), K.epsilon(), 1 - K.epsilon())
    return -K.sum(y_true * K.log(y_pred), axis=-1)


def ops_crossentropy(y_true, y_pred):
    return ops.categorical_crossentropy(y_true, y_pred)


@pytest.mark.parametrize("loss", [k_squared, ops_squared])
def test_squared_error(loss):
    np.testing.assert_allclose(fitted(loss)["loss"], fitted("mse")["loss"], rtol=1e-5)


@pytest.mark.parametrize("loss", [k_weighted_crossentropy, ops_crossentropy])
def test_crossentropy(loss):
    got = fitted(loss, "softmax", LABELS)["loss"]
    wanted = fitted("categorical_crossentropy", "softmax", LABELS)["loss"]
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_metrics():
    def rmse(y_true, y_pred):
        return K.sqrt(K.mean(K.square(y_pred - y_true), axis=-1))

    def hits(y_true, y_pred):
        return K.mean(K.equal(K.argmax(y_true, axis=-1), K.argmax(y_pred, axis=-1)))

    history = fitted("mse", y=LABELS, metrics=[rmse, hits, "categorical_accuracy"])
    np.testing.assert_allclose(history["hits"], history["categorical_accuracy"])
    assert all(value > 0 for value in history["rmse"])


@pytest.mark.parametrize("name", ["sparse_categorical_crossentropy", "binary_crossentropy"])
@pytest.mark.parametrize("from_logits", [False, True])
def test_losses_are_those_of_pyconv(name, from_logits):
    p = RNG.random((5, 4)).astype(np.float32) * 0.9 + 0.05
    y = RNG.integers(0, 4, (5, 1)) if "sparse" in name else (RNG.random((5, 4)) < 0.5) * 1.0
    got = getattr(ops, name)(y, p, from_logits)
    got = got if "sparse" in name else got.mean(axis=-1)
    wanted = getattr(keras.losses, name)(y, p, from_logits)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_what_is_not_there_says_so():
    with pytest.raises(NotInPyconvError, match="keras.ops.ctc_loss: not in pyconv"):
        ops.ctc_loss()
