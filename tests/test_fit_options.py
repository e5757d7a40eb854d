"""fit's epochs, steps, validation and streams of batches."""

import itertools
import warnings

import numpy as np
import pytest
from networks import CLASSES, Exact, images, rmsprop, small_cnn

import pyconv

X, Y = images(50)


def compiled(optimizer="rmsprop", **arguments):
    pyconv.utils.set_random_seed(1)
    model = small_cnn()
    model.compile(
        optimizer,
        **{"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **arguments},
    )
    return model


def frozen(**arguments):
    """A model that no step changes."""
    return compiled(pyconv.optimizers.SGD(0.0), **arguments)


def close(model, exact):
    for got, wanted in zip(model.get_weights(), exact.weights, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=4e-6)


def same_bits(model, other):
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class TestEpochs:
    def test_epochs_is_the_last_one(self):
        model = compiled()
        assert model.fit(X, Y, initial_epoch=2, epochs=5, verbose=0).epoch == [2, 3, 4]
        assert model.fit(X, Y, initial_epoch=5, epochs=5, verbose=0).epoch == []
        assert model.fit(X, Y, epochs=0, verbose=0).history == {}
        assert model.optimizer.iterations == 6

    def test_the_optimizer_goes_on(self):
        whole, parts = compiled(), compiled()
        whole.fit(X, Y, epochs=4, shuffle=False, verbose=0)
        parts.fit(X, Y, epochs=1, shuffle=False, verbose=0)
        parts.fit(X, Y, initial_epoch=1, epochs=4, shuffle=False, verbose=0)
        same_bits(whole, parts)

    def test_steps_go_on_where_the_last_epoch_stopped(self):
        model = compiled()
        exact = Exact(model.get_weights())
        model.fit(X, Y, 10, epochs=4, steps_per_epoch=3, shuffle=False, verbose=0)
        exact.fit(X, Y, [np.arange(50), np.arange(50), np.arange(20)], 10, rmsprop())
        close(model, exact)

    def test_a_model_without_input_is_built_by_the_data(self):
        model = pyconv.Sequential([pyconv.layers.Flatten(), pyconv.layers.Dense(CLASSES)])
        model.compile("sgd", pyconv.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(X, Y, verbose=0)
        assert model.input_shape == (None, 8, 8, 3)

    def test_images_whose_size_is_open(self):
        model = pyconv.Sequential(
            [
                pyconv.Input((None, None, 3)),
                pyconv.layers.Conv2D(1, 3, kernel_initializer="zeros"),
            ]
        )
        model.compile("sgd", "mse")
        assert model.train_on_batch(X, np.full((50, 6, 6, 1), 2.0)) == pytest.approx(4.0)
        # (50, 1, 1, 1) would be broadcast.
        for wrong in ((50, 1, 1, 1), (50, 8, 8, 1)):
            with pytest.raises(ValueError, match=r"network's output, \(50, 6, 6, 1\)"):
                model.fit(X, np.zeros(wrong), verbose=0)
        assert model.predict(X[:0], verbose=0).shape == (0, 6, 6, 1)

    def test_layers_that_are_not_trained_stay(self):
        model = compiled()
        model.layers[0].trainable = False
        before = model.get_weights()
        model.fit(X, Y, verbose=0)
        changed = [(a != b).any() for a, b in zip(before, model.get_weights(), strict=True)]
        assert changed == [False, False, True, True, True, True]

    def test_a_model_that_is_not_trained_stays(self):
        model = compiled()
        model.trainable = False
        before = model.get_weights()
        assert model.fit(X, Y, verbose=0).history["loss"][0] > 0
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


class TestValidation:
    @pytest.mark.parametrize(("fraction", "last"), [(0.2, 10), (0.5, 25), (0.33, 17), (0.01, 1)])
    def test_split_takes_the_last_samples(self, fraction, last):
        model = compiled()
        exact = Exact(model.get_weights())
        history = model.fit(X, Y, 16, shuffle=False, verbose=0, validation_split=fraction).history
        exact.fit(X[:-last], Y[:-last], [np.arange(50 - last)], 16, rmsprop())
        close(model, exact)
        loss, accuracy = exact.measure(X[-last:], Y[-last:])
        assert history["val_loss"][0] == pytest.approx(loss, rel=1e-5)
        assert history["val_accuracy"][0] == pytest.approx(accuracy)

    def test_split_of_sample_weights(self):
        weight = np.arange(50.0)
        model = frozen()
        history = model.fit(
            X, Y, verbose=0, validation_split=0.2, sample_weight=weight
        ).history  # fmt: skip
        exact = Exact(model.get_weights())
        wanted = exact.measure(X[40:], Y[40:], weight[40:])[0]
        assert history["val_loss"][0] == pytest.approx(wanted, rel=1e-5)

    @pytest.mark.parametrize("one_hot", [False, True])
    def test_class_weights_are_for_training_alone(self, one_hot):
        loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
        model = frozen(loss=loss)
        y = np.eye(CLASSES)[Y] if one_hot else Y
        weights = dict.fromkeys(range(CLASSES), 3.0)
        history = model.fit(X, y, verbose=0, validation_split=0.4, class_weight=weights).history
        exact = Exact(model.get_weights())
        assert history["loss"][0] == pytest.approx(3 * exact.measure(X[:30], Y[:30])[0], rel=1e-5)
        assert history["val_loss"][0] == pytest.approx(exact.measure(X[30:], Y[30:])[0], rel=1e-5)

    @pytest.mark.parametrize("kind", [tuple, list])
    def test_data_go_before_split(self, kind):
        x, y = images(20, seed=4)
        model = frozen()
        history = model.fit(
            X, Y, verbose=0, validation_split=0.4, validation_data=kind((x, y))
        ).history  # fmt: skip
        exact = Exact(model.get_weights())
        assert history["val_loss"][0] == pytest.approx(exact.measure(x, y)[0], rel=1e-5)
        assert history["loss"][0] == pytest.approx(exact.measure(X, Y)[0], rel=1e-5)

    def test_data_with_weights(self):
        model, weight = frozen(), np.arange(50.0)
        history = model.fit(X, Y, verbose=0, validation_data=(X, Y, weight)).history
        wanted = Exact(model.get_weights()).measure(X, Y, weight)[0]
        assert history["val_loss"][0] == pytest.approx(wanted, rel=1e-5)

    @pytest.mark.parametrize(
        ("freq", "epochs"), [(1, [0, 1, 2, 3, 4]), (2, [1, 3]), ([1, 4], [0, 3]), (9, []), ((), [])]
    )
    def test_frequency(self, freq, epochs):
        seen = []
        note = pyconv.callbacks.Callback()
        note.on_epoch_end = lambda epoch, logs: seen.append(epoch) if "val_loss" in logs else None
        history = compiled().fit(
            X, Y, epochs=5, verbose=0, validation_split=0.2, validation_freq=freq, callbacks=[note]
        )
        assert seen == epochs
        assert len(history.history.get("val_loss", [])) == len(epochs)

    def test_steps_and_batch_size(self):
        batches = []
        note = pyconv.callbacks.Callback()
        note.on_test_batch_end = lambda batch, logs: batches.append(batch)
        model = frozen()
        history = model.fit(
            X, Y, verbose=0, validation_data=(X, Y), validation_batch_size=7, validation_steps=3,
            callbacks=[note],
        ).history  # fmt: skip
        assert batches == [0, 1, 2]
        wanted = Exact(model.get_weights()).measure(X[:21], Y[:21])[0]
        assert history["val_loss"][0] == pytest.approx(wanted, rel=1e-5)

    def test_changes_nothing_in_training(self):
        model, other = compiled(), compiled()
        for m, arguments in ((model, {}), (other, {"validation_data": images(9, seed=7)})):
            pyconv.utils.set_random_seed(3)
            history = m.fit(X, Y, epochs=2, verbose=0, **arguments).history
        same_bits(model, other)
        assert sorted(history) == ["accuracy", "loss", "val_accuracy", "val_loss"]


# --- streams of batches -------------------------------------------------------------------------


def batches(size=16, weight=None):
    for at in range(0, 50, size):
        part = slice(at, at + size)
        yield (X[part], Y[part]) if weight is None else (X[part], Y[part], weight[part])


class Sequence:
    """What Keras's PyDataset is: a length, and a batch for each number."""

    def __len__(self):
        return 4

    def __getitem__(self, number):
        return list(batches())[number]


@pytest.mark.parametrize(
    "source",
    [lambda: list(batches()), Sequence, lambda: tuple(batches())],
    ids=["list", "len", "tuple"],
)
def test_a_stream_trains_as_its_arrays_do(source):
    model, other = compiled(), compiled()
    history = model.fit(X, Y, 16, epochs=3, shuffle=False, verbose=0).history
    assert other.fit(source(), epochs=3, shuffle=False, verbose=0).history == history
    same_bits(model, other)


def test_weights_in_a_stream():
    model, other, weight = compiled(), compiled(), np.arange(50.0)
    history = model.fit(X, Y, 16, shuffle=False, verbose=0, sample_weight=weight).history
    assert other.fit(batches(weight=weight), verbose=0).history == history
    same_bits(model, other)


def test_class_weights_of_a_stream():
    model, other, weight = compiled(), compiled(), {0: 3.0, 1: 0.5}
    history = model.fit(X, Y, 16, shuffle=False, verbose=0, class_weight=weight).history
    assert other.fit(batches(), verbose=0, class_weight=weight).history == history
    same_bits(model, other)


def test_steps_of_an_endless_generator():
    model, other = compiled(), compiled()
    model.fit(X, Y, 16, epochs=2, shuffle=False, verbose=0)
    endless = itertools.cycle(list(batches()))
    history = other.fit(endless, epochs=2, steps_per_epoch=4, verbose=0)
    assert history.epoch == [0, 1]
    same_bits(model, other)


def test_steps_of_a_list_go_on_and_begin_anew():
    model, other = compiled(), compiled()
    model.fit(X, Y, 16, epochs=3, steps_per_epoch=3, shuffle=False, verbose=0)
    other.fit(list(batches()), epochs=3, steps_per_epoch=3, verbose=0)
    same_bits(model, other)


def test_validation_on_a_stream():
    model = frozen()
    history = model.fit(X, Y, epochs=2, verbose=0, validation_data=list(batches())).history
    assert history["val_loss"] == pytest.approx(history["loss"], rel=1e-6)
    endless = itertools.cycle(list(batches()))
    history = model.fit(
        X, Y, epochs=2, verbose=0, validation_data=endless, validation_steps=4
    ).history  # fmt: skip
    assert history["val_loss"] == pytest.approx(history["loss"], rel=1e-6)


@pytest.mark.parametrize(("steps", "epochs"), [(None, [0]), (3, [0, 1]), (8, [0])])
def test_a_generator_that_ends_early_warns(steps, epochs):
    with pytest.warns(UserWarning, match="Your input ran out of data") as caught:
        history = compiled().fit(batches(), epochs=4, steps_per_epoch=steps, verbose=0)
    assert history.epoch == epochs
    assert len(caught) == 1


def test_a_generator_that_is_used_up_exactly_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled().fit(batches(), verbose=0)


def test_an_error_of_the_generator_passes_out():
    def broken():
        yield X[:3], Y[:3]
        raise OSError("the disk is gone")

    model = compiled()
    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(broken(), verbose=0)
    assert model.optimizer.iterations == 1


@pytest.mark.parametrize(
    ("item", "error", "match"),
    [
        (X, ValueError, r"must give tuples \(x, y\)"),
        ((X,), ValueError, r"must give tuples \(x, y\)"),
        ((X, None), ValueError, "fit: y must be given"),
        ((X, Y[:5]), ValueError, "same number of samples, got 50 and 5"),
        ((X, Y, np.ones(3)), ValueError, "sample_weight must have the same number"),
        ((X[:, :6], Y), ValueError, "Dense .* built for a last axis of 20"),
        ((X, np.full(50, 9)), ValueError, "class numbers from 0 to 3, got 9 at row 0"),
        ((X.astype(object), "ab"), TypeError, "x must be an array of numbers"),
    ],
)
def test_a_wrong_batch_ends_training_between_steps(item, error, match):
    model, other = compiled(), compiled()
    with pytest.raises(error, match=match):
        model.fit(iter([(X, Y), item]), verbose=0)
    other.fit(iter([(X, Y)]), verbose=0)
    same_bits(model, other)
    assert model.optimizer.iterations == 1
