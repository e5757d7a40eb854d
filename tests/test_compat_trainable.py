"""Models that share layers, and ``trainable`` between their ``compile`` and their steps."""

import copy
import gc
import warnings
import weakref

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers

RNG = np.random.default_rng(0)
X, Z = (RNG.normal(size=(8, n)).astype(np.float32) for n in (3, 2))
ONES, ZEROS = np.ones((8, 1)), np.zeros((8, 1))


def adversaries(optimizer, optimizer_of_both=None):
    """A generator, a critic that is compiled to train, and both in one, where only the first is."""
    generator = keras.Sequential([layers.Dense(3, input_shape=(2,)), layers.LeakyReLU(0.2)])
    critic = keras.Sequential([layers.Dense(4, input_shape=(3,), activation="tanh")])
    critic.add(layers.Dense(1, activation="sigmoid"))
    for i, model in enumerate((generator, critic)):
        rng = np.random.default_rng(i)
        model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    critic.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    critic.trainable = False
    noise = keras.Input((2,))
    both = keras.Model(noise, critic(generator(noise)))
    both.compile(optimizer_of_both or optimizer, "binary_crossentropy")
    return generator, critic, both


def changed(model, before):
    return [not np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True)]


@pytest.mark.filterwarnings("ignore:Sequential.*trainable")
def test_a_model_trains_what_was_trainable_when_it_was_compiled():
    generator, critic, both = adversaries("adam")
    before = generator.get_weights(), critic.get_weights()
    critic.train_on_batch(X, ONES)
    assert changed(generator, before[0]) == [False] * 2
    assert changed(critic, before[1]) == [True] * 4
    before = generator.get_weights(), critic.get_weights()
    both.train_on_batch(Z, ONES)
    assert changed(generator, before[0]) == [True] * 2
    assert changed(critic, before[1]) == [False] * 4
    assert not critic.trainable
    assert not critic.layers[0].trainable
    assert both.layers[-1] is critic
    both.layers[-1].trainable = True
    both.train_on_batch(Z, ONES)
    assert changed(critic, before[1]) == [False] * 4
    both.compile("sgd", "binary_crossentropy")
    both.train_on_batch(Z, ONES)
    assert changed(critic, before[1]) == [True] * 4


def test_a_change_after_compile_is_told():
    _, critic, both = adversaries("sgd")
    with pytest.warns(UserWarning, match=r"`trainable` was changed after compile"):
        critic.fit(X, ONES, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        both.fit(Z, ONES, verbose=0)


@pytest.mark.filterwarnings("ignore:Sequential.*trainable")
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad"])
def test_one_optimizer_of_two_models_keeps_two_states(name):
    options = {"momentum": 0.9} if name == "SGD" else {}
    kind = getattr(keras.optimizers, name)
    shared = adversaries(kind(learning_rate=0.1, **options))
    apart = adversaries(*(kind(learning_rate=0.1, **options) for _ in range(2)))
    for _ in range(4):
        losses = []
        for _, critic, both in (shared, apart):
            real = critic.train_on_batch(X, ONES)
            fake = critic.train_on_batch(X[::-1] * 2, ZEROS)
            losses.append([*real, *fake, both.train_on_batch(Z, ONES)])
        np.testing.assert_array_equal(*losses)
    for one, other in zip(shared, apart, strict=True):
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_one_optimizer_of_models_of_equal_shapes():
    def model():
        return keras.Sequential([layers.Dense(1, input_shape=(3,), kernel_initializer="zeros")])

    optimizer = keras.optimizers.SGD(0.1, momentum=0.5)
    shared, apart = [model(), model()], [model(), model()]
    for one, other in zip(shared, apart, strict=True):
        one.compile(optimizer, "mse")
        other.compile(keras.optimizers.SGD(0.1, momentum=0.5), "mse")
    for turn in (0, 1, 0, 0, 1):
        for models in (shared, apart):
            models[turn].train_on_batch(X * (turn + 1), ONES)
    for one, other in zip(shared, apart, strict=True):
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert optimizer.iterations == 5
    again = copy.deepcopy(optimizer)
    assert again.iterations == 5


def test_one_optimizer_of_two_sets_of_parameters():
    optimizer = keras.optimizers.SGD(1.0, momentum=0.5)
    w, v = np.zeros(2, np.float32), np.zeros(3, np.float32)
    optimizer.apply_gradients([(np.ones(2, np.float32), w)])
    optimizer.apply_gradients([(np.ones(3, np.float32), v)])
    optimizer.apply_gradients([(np.ones(2, np.float32), w)])
    assert w.tolist() == [-2.5] * 2
    assert v.tolist() == [-1] * 3


def test_layers_may_be_freed_between_two_trainings_with_one_optimizer():
    model = keras.Sequential([layers.Dense(3, input_shape=(3,)), layers.Dense(1)])
    optimizer = keras.optimizers.Adam()
    model.layers[0].trainable = False
    model.compile(optimizer, "mse")
    model.fit(X, ONES, verbose=0)
    before = model.get_weights()
    model.layers[0].trainable = True
    model.compile(optimizer, "mse")
    model.fit(X, ONES, verbose=0)
    assert changed(model, before) == [True] * 4


def test_weights_tell_their_path_and_whether_they_are_trained(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(2, name="d"),
            keras.layers.BatchNormalization(name="b"),
        ]
    )
    expected = [
        ("d/kernel", True), ("d/bias", True), ("b/gamma", True), ("b/beta", True),
        ("b/moving_mean", False), ("b/moving_variance", False),
    ]  # fmt: skip
    assert [(w.path, w.trainable) for w in model.weights] == expected
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert [(w.path, w.trainable) for w in again.weights] == expected


@pytest.mark.parametrize("kind", ["stack", "network", "own"])
def test_a_deleted_model_waits_for_no_collector(kind):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(1)

        def call(self, x):
            return self.head(x)

    inputs = keras.Input((3,))
    model = {
        "stack": lambda: keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]),
        "network": lambda: keras.Model(inputs, keras.layers.Dense(1)(inputs)),
        "own": Own,
    }[kind]()
    model.compile("adam", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    model.predict(np.ones((4, 3)), verbose=0)
    gone = weakref.ref(model)
    gc.disable()
    try:
        del model
        assert gone() is None
    finally:
        gc.enable()
