"""Losses of tensors: ``add_loss`` of models and layers, and losses that refer to tensors."""

import numpy as np
import pytest
import torch

import pyconv.compat.keras as keras
from pyconv.compat.keras import backend as K  # noqa: N812
from pyconv.compat.keras import layers
from pyconv.compat.keras.losses import binary_crossentropy

RNG = np.random.default_rng(0)
X = RNG.uniform(0.1, 0.9, (6, 4)).astype(np.float32)
NOISE = RNG.normal(size=(6, 2)).astype(np.float32)
SHAPES = [(4, 3), (3,), (3, 2), (2,), (3, 2), (2,), (2, 4), (4,)]
WEIGHTS = [RNG.normal(0, 0.4, shape).astype(np.float32) for shape in SHAPES]


class Adding(layers.Layer):
    """Has the loss of an autoencoder, and returns its first input."""

    def __init__(self, mean, spread):
        super().__init__()
        self.loss_of = lambda x, y: K.mean(4 * binary_crossentropy(x, y) + divergence(mean, spread))

    def call(self, inputs):
        self.add_loss(self.loss_of(*inputs), inputs=inputs)
        return inputs[0]


def divergence(mean, spread):
    return -0.5 * K.sum(1 + spread - K.square(mean) - K.exp(spread), axis=-1)


def autoencoder(how):
    """A variational autoencoder whose noise is always the same."""
    inputs = keras.Input((4,))
    hidden = layers.Dense(3, activation="tanh")(inputs)
    mean, spread = layers.Dense(2)(hidden), layers.Dense(2)(hidden)
    drawn = layers.Lambda(lambda a: a[0] + K.exp(0.5 * a[1]) * NOISE[: len(a[0])])([mean, spread])
    encoder = keras.Model(inputs, [mean, spread, drawn])
    code = keras.Input((2,))
    decoder = keras.Model(code, layers.Dense(4, activation="sigmoid")(code))
    outputs = decoder(encoder(inputs)[2])
    model = keras.Model(
        inputs, outputs if how != "layer" else Adding(mean, spread)([inputs, outputs])
    )
    model.set_weights(WEIGHTS)
    if how == "model":
        model.add_loss(K.mean(4 * binary_crossentropy(inputs, outputs) + divergence(mean, spread)))

    def loss(y_true, y_pred):
        return 4 * binary_crossentropy(y_true, y_pred) + divergence(mean, spread)

    model.compile(keras.optimizers.SGD(0.1), loss if how == "function" else None)
    return model


def of_torch(steps):
    w = [torch.tensor(value, requires_grad=True) for value in WEIGHTS]
    x, losses = torch.from_numpy(X), []
    for _ in range(steps):
        hidden = torch.tanh(x @ w[0] + w[1])
        mean, spread = hidden @ w[2] + w[3], hidden @ w[4] + w[5]
        y = torch.sigmoid((mean + torch.exp(0.5 * spread) * torch.from_numpy(NOISE)) @ w[6] + w[7])
        rows = torch.nn.functional.binary_cross_entropy(y, x, reduction="none").sum(1)
        kl = -0.5 * (1 + spread - mean**2 - torch.exp(spread)).sum(1)
        loss = (rows + kl).mean()
        losses.append(loss.item())
        for one, g in zip(w, torch.autograd.grad(loss, w), strict=True):
            one.data -= 0.1 * g
    return losses, [one.detach().numpy() for one in w]


@pytest.mark.parametrize("how", ["model", "layer", "function"])
def test_variational_autoencoders_train_as_torch_has_it(how):
    model = autoencoder(how)
    y = X if how == "function" else None
    losses = [
        model.fit(X, y, batch_size=6, shuffle=False, verbose=0).history["loss"][0] for _ in range(3)
    ]
    wanted, weights = of_torch(3)
    np.testing.assert_allclose(losses, wanted, rtol=1e-5)
    for found, theirs in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(found, theirs, rtol=1e-4, atol=1e-6)


def test_added_losses_are_measured():
    model = autoencoder("model")
    wanted = of_torch(1)[0][0]
    assert model.evaluate(X, verbose=0) == pytest.approx(wanted, rel=1e-5)
    history = model.fit(
        X, batch_size=6, shuffle=False, validation_data=(X, None), verbose=0
    ).history
    assert history["loss"][0] == pytest.approx(wanted, rel=1e-5)
    assert history["val_loss"][0] == pytest.approx(of_torch(2)[0][1], rel=1e-5)
    assert model.predict(X).shape == (6, 4)


def test_added_losses_beside_another_and_regularizers():
    x = keras.Input((4,))
    hidden = layers.Dense(3, kernel_regularizer="l2", kernel_initializer="ones")(x)
    model = keras.Model(x, layers.Dense(1, kernel_initializer="ones")(hidden))
    model.add_loss(K.abs(hidden[:, 0]))
    model.add_loss(lambda: 0.25)
    model.compile("sgd", "mse")
    rows = X.sum(1)
    wanted = np.mean((3 * rows) ** 2) + 0.01 * 12 + rows.mean() + 0.25
    assert model.evaluate(X, np.zeros((6, 1)), verbose=0) == pytest.approx(wanted, rel=1e-5)
    before = model.get_weights()[0]
    found = model.fit(X, np.zeros((6, 1)), verbose=0).history["loss"][0]
    assert found == pytest.approx(wanted, rel=1e-5)
    columns = X.mean(0)
    slope = 2 * (3 * rows[:, None] * X).mean(0)[:, None] + 0.02 + columns[:, None] * [1, 0, 0]
    np.testing.assert_allclose(model.get_weights()[0], before - 0.01 * slope, rtol=1e-5)


def test_tensors_of_other_models_are_no_losses():
    model = autoencoder("model")
    with pytest.raises(ValueError, match="not among the model's inputs"):
        model.add_loss(K.mean(keras.Input((3,))))
    sequential = keras.Sequential([layers.Dense(1, input_shape=(2,))])
    with pytest.raises(AttributeError, match="add_loss.*keras.Model"):
        sequential.add_loss(1.0)


def test_models_without_added_losses_make_no_steps_of_their_own():
    x = keras.Input((4,))
    one, two = layers.Dense(1)(x), layers.Dense(1)(x)
    for model in (keras.Model(x, one), keras.Model(x, [one, two])):
        assert not model._own
    assert autoencoder("model")._own == {"train", "test"}
