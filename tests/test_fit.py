"""fit against the same training in float64: orders, batches, weights, types of input."""

import numpy as np
import pytest
from networks import CLASSES, Exact, images, rmsprop, sgd, small_cnn

import pyconv

X, Y = images(70)
ONE_HOT = np.eye(CLASSES, dtype=np.float32)[Y]


def compiled(optimizer="rmsprop", seed=1, **arguments):
    pyconv.utils.set_random_seed(seed)
    model = small_cnn()
    model.compile(
        optimizer,
        **{"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **arguments},
    )
    return model


def trained(model, x, y, **arguments):
    """Train with the same orders at each call; return the history."""
    pyconv.utils.set_random_seed(2)
    return model.fit(x, y, verbose=0, **arguments).history


def close(model, exact):
    for got, wanted in zip(model.get_weights(), exact.weights, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=4e-6)


def same_bits(model, other):
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def in_order(epochs=1):
    return [np.arange(len(X))] * epochs


@pytest.mark.parametrize(
    ("optimizer", "update"),
    [
        (lambda: pyconv.optimizers.SGD(0.1), lambda: sgd(0.1)),
        (lambda: pyconv.optimizers.SGD(0.01, momentum=0.9), lambda: sgd(0.01, 0.9)),
        (lambda: "rmsprop", rmsprop),
    ],
    ids=["sgd", "momentum", "rmsprop"],
)
@pytest.mark.parametrize("batch_size", [16, 70, 1])
def test_an_epoch_agrees_with_float64(optimizer, update, batch_size):
    model = compiled(optimizer())
    exact = Exact(model.get_weights())
    wanted = exact.fit(X, Y, in_order(2), batch_size, update())
    history = model.fit(X, Y, batch_size, epochs=2, shuffle=False, verbose=0).history
    close(model, exact)
    np.testing.assert_allclose(history["loss"], wanted, rtol=1e-5)
    # The rows that are left over are trained on too.
    assert model.optimizer.iterations == 2 * -(-70 // batch_size)


def test_the_default_batch_size_is_32():
    model = compiled()
    model.fit(X, Y, verbose=0)
    assert model.optimizer.iterations == 3


def test_each_epoch_has_an_order_of_its_own():
    model = compiled()
    exact = Exact(model.get_weights())
    pyconv.utils.set_random_seed(5)
    model.fit(X, Y, 16, epochs=2, verbose=0)
    rng = np.random.default_rng(5)
    orders = [rng.permutation(70), rng.permutation(70)]
    assert (orders[0] != orders[1]).any()
    exact.fit(X, Y, orders, 16, rmsprop())
    close(model, exact)


def test_shuffling_within_batches():
    model = compiled()
    exact = Exact(model.get_weights())
    pyconv.utils.set_random_seed(5)
    order = next(iter(pyconv.batches.ArrayBatches((X, np.arange(70), None), 16, "batch"))).y
    assert sorted(order) == list(range(16))
    assert order.tolist() != list(range(16))
    pyconv.utils.set_random_seed(5)
    model.fit(X, Y, 16, shuffle="batch", verbose=0)
    # The order within a batch changes nothing but rounding.
    exact.fit(X, Y, in_order(), 16, rmsprop())
    close(model, exact)


@pytest.mark.parametrize("shape", [(70,), (70, 1)])
def test_sample_weights(shape):
    weight = np.random.default_rng(3).uniform(0, 3, 70)
    model = compiled()
    exact = Exact(model.get_weights())
    wanted = exact.fit(X, Y, in_order(), 16, rmsprop(), weight)
    history = model.fit(X, Y, 16, shuffle=False, verbose=0, sample_weight=weight.reshape(shape))
    close(model, exact)
    assert history.history["loss"][0] == pytest.approx(wanted[0], rel=1e-5)


@pytest.mark.parametrize("one_hot", [False, True])
def test_class_weights(one_hot):
    classes = {0: 2.0, 2: 0.5, 3: 0}
    table = np.array([2.0, 1.0, 0.5, 0.0])
    loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    model = compiled(loss=loss)
    exact = Exact(model.get_weights())
    wanted = exact.fit(X, Y, in_order(), 16, rmsprop(), table[Y])
    history = model.fit(
        X, ONE_HOT if one_hot else Y, 16, shuffle=False, verbose=0, class_weight=classes
    )
    close(model, exact)
    assert history.history["loss"][0] == pytest.approx(wanted[0], rel=1e-5)


def test_a_factor_of_the_loss():
    model, other = compiled("sgd", loss_weights=3.0), compiled(pyconv.optimizers.SGD(0.03))
    history = model.fit(X, Y, shuffle=False, verbose=0).history
    plain = other.fit(X, Y, shuffle=False, verbose=0).history
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert history["loss"][0] == pytest.approx(3 * plain["loss"][0], rel=1e-5)


# --- types of input -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.astype(np.float32),
        lambda x: x.astype(np.float64),
        lambda x: x.astype(np.float16),
        lambda x: x.astype(np.int64),
        lambda x: x.astype(">f4"),
        lambda x: x.tolist(),
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=0)[::2],
    ],
    ids=["f4", "f8", "f2", "i8", "big-endian", "lists", "Fortran", "strided"],
)
def test_inputs_of_any_type_train_with_the_same_bits(convert):
    x = (X * 100).astype(np.uint8)
    model, other = compiled("sgd"), compiled("sgd")
    history = trained(model, x, Y, epochs=2, validation_split=0.2)
    assert trained(other, convert(x), Y, epochs=2, validation_split=0.2) == history
    same_bits(model, other)
    np.testing.assert_array_equal(model.predict(x, verbose=0), other.predict(convert(x), verbose=0))


def test_float64_is_rounded_once():
    x = X / 3.0 + np.random.default_rng(0).random(X.shape)
    model, other = compiled(), compiled()
    assert trained(model, x, Y) == trained(other, x.astype(np.float32), Y)
    same_bits(model, other)


@pytest.mark.parametrize(
    "labels", [Y.astype("u1"), Y.astype("f8"), Y[:, None], Y.tolist(), Y.astype(">i4")]
)
def test_class_numbers_of_any_type_train_with_the_same_bits(labels):
    model, other = compiled(), compiled()
    assert trained(model, X, Y) == trained(other, X, labels)
    same_bits(model, other)


@pytest.mark.parametrize("dtype", ["u1", "i8", "f8", "?"])
def test_one_hot_labels_of_any_type_train_with_the_same_bits(dtype):
    model, other = (compiled(loss="categorical_crossentropy") for _ in range(2))
    assert trained(model, X, ONE_HOT) == trained(other, X, ONE_HOT.astype(dtype))
    same_bits(model, other)


def test_arrays_of_the_user_are_not_written_to():
    x, y, weight = X.copy(), ONE_HOT.copy(), np.ones(70, np.float32)
    for array in (x, y, weight):
        array.flags.writeable = False
    model = compiled(loss="categorical_crossentropy")
    model.fit(x, y, sample_weight=weight, verbose=0, validation_data=(x, y, weight), shuffle=False)
    model.train_on_batch(x, y)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    np.testing.assert_array_equal(x, X)


# --- determinism --------------------------------------------------------------------------------


def test_same_bits_for_any_number_of_threads(threads):
    results = []
    for n in (1, 2, 3, 4):
        threads(n)
        pyconv.utils.set_random_seed(9)
        model = pyconv.Sequential(
            [*small_cnn().layers[:-1], pyconv.layers.Dropout(0.3), pyconv.layers.Dense(CLASSES)]
        )
        model.build((None, 8, 8, 3))
        model.compile(
            "adam", pyconv.losses.SparseCategoricalCrossentropy(True), metrics=["accuracy"]
        )
        history = model.fit(X, Y, epochs=3, verbose=0, validation_split=0.2).history
        results.append([history, [w.tobytes() for w in model.get_weights()]])
    assert results[1:] == results[:1] * 3


def test_the_seed_decides(capsys):
    runs = []
    for seed in (1, 1, 2):
        model = compiled(seed=seed)
        # A bar or a checkpoint must not draw from the generator.
        model.fit(X, Y, epochs=2, verbose=len(runs))
        runs.append([w.tobytes() for w in model.get_weights()])
    assert runs[0] == runs[1] != runs[2]


def test_it_learns():
    x, y = images(600)
    model = compiled(pyconv.optimizers.RMSprop(0.01))
    history = model.fit(x, y, epochs=6, verbose=0, validation_split=0.25).history
    assert history["val_accuracy"][-1] > 0.9
    assert history["loss"][-1] < history["loss"][0] / 2
