"""The optimizers' rules and defaults of Keras 2.0, against its formulas in float64."""

import numpy as np
import pytest
from graph_runs import with_and_without

from pyconv import _cpu, compat
from pyconv.compat.keras import Sequential, backend, callbacks, layers, optimizers

W = np.array([1.0, 2.0, 3.0, 4.0])
# Small ones tell an epsilon inside of the root from one outside.
GRADS = [np.array([1.0, -6.0, 1e-7, 2e-4]), np.array([0.5, 3.0, -3e-7, 1e-4])]


@pytest.fixture(autouse=True)
def keras2():
    compat.select("keras2")
    yield
    compat.select("keras2")


def stepped(optimizer):
    w = W.astype(np.float32)
    for grad in GRADS:
        optimizer.apply([grad.astype(np.float32)], [w])
    return w


def rmsprop(lr=0.001, rho=0.9, epsilon=1e-8, decay=0.0):
    w, a = W.copy(), np.zeros(4)
    for t, g in enumerate(GRADS):
        a = rho * a + (1 - rho) * g**2
        w -= lr / (1 + decay * t) * g / (np.sqrt(a) + epsilon)
    return w


def adagrad(lr=0.01, epsilon=1e-8):
    w, a = W.copy(), np.zeros(4)
    for g in GRADS:
        a += g**2
        w -= lr * g / (np.sqrt(a) + epsilon)
    return w


def adadelta(lr=1.0, rho=0.95, epsilon=1e-8):
    w, a, d = W.copy(), np.zeros(4), np.zeros(4)
    for g in GRADS:
        a = rho * a + (1 - rho) * g**2
        update = g * np.sqrt(d + epsilon) / np.sqrt(a + epsilon)
        w -= lr * update
        d = rho * d + (1 - rho) * update**2
    return w


def adam(lr=0.001, b1=0.9, b2=0.999, epsilon=1e-8):
    w, m, v = W.copy(), np.zeros(4), np.zeros(4)
    for t, g in enumerate(GRADS, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        w -= lr * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + epsilon)
    return w


def adamax(lr=0.002, b1=0.9, b2=0.999, epsilon=1e-8):
    w, m, u = W.copy(), np.zeros(4), np.zeros(4)
    for t, g in enumerate(GRADS, 1):
        m, u = b1 * m + (1 - b1) * g, np.maximum(b2 * u, np.abs(g))
        w -= lr / (1 - b1**t) * m / (u + epsilon)
    return w


def nadam(lr=0.002, b1=0.9, b2=0.999, epsilon=1e-8, schedule_decay=0.004):
    w, m, v, schedule = W.copy(), np.zeros(4), np.zeros(4), 1.0
    for t, g in enumerate(GRADS, 1):
        now = b1 * (1 - 0.5 * 0.96 ** (t * schedule_decay))
        after = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * schedule_decay))
        schedule *= now
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        mean = (1 - now) * g / (1 - schedule) + after * m / (1 - schedule * after)
        w -= lr * mean / (np.sqrt(v / (1 - b2**t)) + epsilon)
    return w


def sgd(lr=0.01, momentum=0.0, decay=0.0, nesterov=False):
    w, v = W.copy(), np.zeros(4)
    for t, g in enumerate(GRADS):
        rate = lr / (1 + decay * t)
        v = momentum * v - rate * g
        w += momentum * v - rate * g if nesterov else v
    return w


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (lambda: optimizers.get("rmsprop"), rmsprop()),
        (lambda: optimizers.rmsprop(lr=0.01, decay=0.5), rmsprop(lr=0.01, decay=0.5)),
        (lambda: optimizers.RMSprop(epsilon=1e-6), rmsprop(epsilon=1e-6)),
        (lambda: optimizers.RMSprop(epsilon=None), rmsprop()),
        (lambda: optimizers.Adagrad(), adagrad()),
        (lambda: optimizers.Adadelta(), adadelta()),
        (lambda: optimizers.adam(), adam()),
        (lambda: optimizers.Adam(0.01), adam(lr=0.01)),
        (lambda: optimizers.Adamax(), adamax()),
        (lambda: optimizers.Nadam(), nadam()),
        (
            lambda: optimizers.SGD(lr=0.1, momentum=0.9, decay=1e-1, nesterov=True),
            sgd(0.1, 0.9, 1e-1, True),
        ),
    ],
)
def test_rules_of_keras_2(optimizer, expected):
    change = stepped(optimizer()).astype(np.float64) - W
    # Two roundings to float32 of numbers up to 4.
    np.testing.assert_allclose(change, expected - W, rtol=2e-6, atol=4 * 2**-23)


def test_rmsprop_of_keras_3_has_epsilon_inside():
    compat.select("keras3")
    w = W.astype(np.float32)
    grad = GRADS[0]
    optimizers.RMSprop(0.5).apply([grad.astype(np.float32)], [w])
    expected = -0.5 * grad / np.sqrt(0.1 * grad**2 + 1e-7)
    np.testing.assert_allclose(w - W, expected, rtol=2e-6, atol=4 * 2**-23)


def test_clipnorm_is_of_all_gradients_together():
    w = [np.zeros(1, np.float32), np.zeros(1, np.float32)]
    grads = [np.full(1, 3, np.float32), np.full(1, 4, np.float32)]
    optimizers.SGD(lr=1.0, clipnorm=1.0).apply(grads, w)
    np.testing.assert_allclose([w[0][0], w[1][0]], [-0.6, -0.8], rtol=1e-6)
    compat.select("keras3")
    w = [np.zeros(1, np.float32), np.zeros(1, np.float32)]
    optimizers.SGD(1.0, clipnorm=1.0).apply(grads, w)
    np.testing.assert_allclose([w[0][0], w[1][0]], [-1, -1], rtol=1e-6)


def test_the_rate_is_read_and_set_without_its_decay():
    sgd = optimizers.SGD(lr=1.0, decay=1.0)
    stepped(sgd)
    assert sgd.lr == 1.0
    backend.set_value(sgd.lr, 0.5)
    assert backend.get_value(sgd.lr) == 0.5
    sgd.lr = 0.25
    assert sgd.learning_rate == 0.25


def test_decay_is_kept_by_a_config():
    decayed = optimizers.SGD(lr=0.1, decay=0.5)
    again = optimizers.SGD.from_config(decayed.get_config())
    np.testing.assert_array_equal(stepped(decayed), stepped(again))


def test_state_of_a_decaying_optimizer_fits_its_config():
    decayed = optimizers.RMSprop(lr=0.1, decay=0.5)
    stepped(decayed)
    again = optimizers.RMSprop.from_config(decayed.get_config())
    again.build([np.zeros(4, np.float32)])
    again.set_weights(decayed.variables)
    w, v = np.ones(4, np.float32), np.ones(4, np.float32)
    for optimizer, weights in ((decayed, w), (again, v)):
        optimizer.apply([np.ones(4, np.float32)], [weights])
    np.testing.assert_array_equal(w, v)


def test_decay_of_a_schedule_is_an_error():
    schedule = optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with pytest.raises(ValueError, match="decay needs a learning rate that is a number"):
        optimizers.SGD(schedule, decay=0.1)


def test_steps_of_ones_own_by_an_optimizer_of_an_optimizer():
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.5), initial_scale=4.0)
    weight = np.ones(3, np.float32)
    optimizer.build([weight])
    for _ in range(2):
        optimizer.apply([np.full(3, 4.0, np.float32)], [weight])
    np.testing.assert_array_equal(weight, np.zeros(3))


@pytest.mark.parametrize("era", ["keras2", "keras3"])
@pytest.mark.parametrize(
    "made",
    [
        lambda: optimizers.SGD(0.1, momentum=0.9, decay=0.1, nesterov=True),
        lambda: optimizers.RMSprop(decay=0.1),
        lambda: optimizers.Adam(decay=0.1),
    ],
)
def test_recorded_steps_heed_decay_and_rates_that_are_set(made, era, monkeypatch):
    random = np.random.default_rng(2)
    x, y = random.random((24, 6, 6, 3), np.float32), random.integers(0, 4, 24)

    def run():
        compat.select(era)
        model = Sequential(
            [
                layers.Conv2D(3, 3, activation="relu", input_shape=(6, 6, 3)),
                layers.Flatten(),
                layers.Dense(4, activation="softmax"),
            ]
        )
        model.compile(made(), "sparse_categorical_crossentropy")
        rates = callbacks.LearningRateScheduler(lambda epoch: 0.02 / (epoch + 1))
        model.fit(x, y, batch_size=4, epochs=3, verbose=0, callbacks=[rates])
        return model.get_weights()

    ours, theirs, launched = with_and_without(monkeypatch, _cpu, run)
    assert launched == 3 * 6 - 1
    for a, b in zip(ours, theirs, strict=True):
        assert np.array_equal(a, b)
