"""Models of one's own whose call gives several results that no layers can stand for."""

import numpy as np
import pytest
import torch

import pyconv.compat.tensorflow as tf

keras = tf.keras
layers = keras.layers
rng = np.random.default_rng(0)
X = rng.random((10, 6)).astype(np.float32)


class Coder(keras.Model):
    """A variational autoencoder with a factor of its own."""

    def __init__(self, draws=True):
        super().__init__()
        self.first = layers.Dense(8)
        self.mean, self.spread, self.last = layers.Dense(3), layers.Dense(3), layers.Dense(6)
        self.factor = tf.Variable(2.0)
        self.draws = draws

    def call(self, x, training=None):
        h = tf.nn.relu(self.first(x))
        mean, log_var = self.mean(h), self.spread(h)
        noise = tf.random.normal(mean.shape) if self.draws else tf.ones(mean.shape)
        if float(tf.reduce_mean(x)) < 0:  # depends on the data
            noise = noise * 0.0
        z = mean + noise * tf.exp(log_var * 0.5)
        return self.last(z) * self.factor, mean, log_var


def loss_of(outputs, x):
    y, mean, log_var = outputs
    spread = 1 + log_var - tf.square(mean) - tf.exp(log_var)
    return tf.reduce_mean(tf.square(y - x)) - 0.5 * tf.reduce_mean(spread)


def test_gradients_are_those_of_torch():
    model = Coder(draws=False)
    model.build((4, 6))  # the batch is another one below
    with tf.GradientTape() as tape:
        loss = loss_of(model(tf.constant(X), training=True), X)
    grads = tape.gradient(loss, model.trainable_variables)

    given = [torch.tensor(np.asarray(w), dtype=torch.float64, requires_grad=True)
             for w in model.trainable_variables]  # fmt: skip
    by_shape = {tuple(w.shape): w for w in given}
    factor, w1, b1, w4, b4 = (by_shape[s] for s in [(), (6, 8), (8,), (3, 6), (6,)])
    twins = [w for w in given if tuple(w.shape) in ((8, 3), (3,))]
    x = torch.tensor(X, dtype=torch.float64)
    h = torch.relu(x @ w1 + b1)
    mean, log_var = h @ twins[0] + twins[1], h @ twins[2] + twins[3]
    y = ((mean + torch.exp(log_var / 2)) @ w4 + b4) * factor
    spread = 1 + log_var - mean**2 - torch.exp(log_var)
    wanted = ((y - x) ** 2).mean() - 0.5 * spread.mean()
    wanted.backward()
    assert float(loss) == pytest.approx(float(wanted.detach()), rel=1e-5)
    for grad, weight in zip(grads, given, strict=True):
        np.testing.assert_allclose(grad, weight.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_steps_of_ones_own_lower_the_loss():
    class Trained(Coder):
        def train_step(self, data):
            with tf.GradientTape() as tape:
                loss = loss_of(self(data, training=True), data)
            grads = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
            return {"loss": loss}

    keras.utils.set_random_seed(1)
    model = Trained()
    model.compile(keras.optimizers.Adam(0.02))
    losses = model.fit(X, epochs=30, batch_size=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    assert float(model.factor) != 2.0


def test_predictions_and_random_numbers():
    model = Coder()
    parts = model.predict(np.repeat(X, 7, axis=0), verbose=0)
    assert [part.shape for part in parts] == [(70, 6), (70, 3), (70, 3)]
    first, second = model(X), model(X)
    assert not np.allclose(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("ending", ["weights.h5", "h5"])
def test_weights_in_files(tmp_path, ending, capsys):
    model, other = Coder(), Coder()
    for one in (model, other):
        one.build((None, 6))
    model.factor.assign(3.0) if hasattr(model.factor, "assign") else None
    model.save_weights(str(tmp_path / f"w.{ending}"))
    other.load_weights(str(tmp_path / f"w.{ending}"))
    assert len(model.weights) == 9 == len(model.trainable_variables)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.summary()
    assert model.count_params() == 6 * 8 + 8 + 2 * (8 * 3 + 3) + 3 * 6 + 6 + 1
    assert "Total params: 135" in capsys.readouterr().out


def test_fit_says_what_is_missing():
    model = Coder()
    model.compile("sgd", "mse")
    with pytest.raises(NotImplementedError, match=r"Coder 'coder.*its call.*a train_step"):
        model.fit(X, X, verbose=0)


def test_a_variable_that_is_an_attribute_is_trained():
    class Scaled(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1, use_bias=False, kernel_initializer="ones")
            self.factor = tf.Variable(2.0)

        def call(self, x):
            return self.dense(x) * self.factor

    model = Scaled()
    model.compile(keras.optimizers.SGD(0.01), "mse")
    model.fit(np.ones((4, 2)), np.zeros((4, 1)), batch_size=4, verbose=0)
    # y = 2 (1 + 1): the slope is 2 y (1 + 1) by the factor, and 2 y 2 by each weight.
    assert float(model.factor) == pytest.approx(2 - 0.01 * 16)
    np.testing.assert_allclose(model.dense.get_weights()[0], np.full((2, 1), 1 - 0.01 * 16))


def test_a_step_of_ones_own_takes_batches_of_any_shape():
    class Pairs(keras.utils.Sequence):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return np.stack([X[:4], X[4:8]])

    class Apart(keras.Model):
        def train_step(self, data):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self(data[0]) - self(data[1])))
            grads = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
            return {"loss": loss}

    inputs = keras.Input((6,))
    model = Apart(inputs, layers.Dense(2)(inputs))
    model.compile(keras.optimizers.SGD(0.1))
    losses = model.fit(Pairs(), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.predict(X, verbose=0).shape == (10, 2)
