"""ModelCheckpoint: when it saves, where, and what it says."""

import numpy as np
import pytest

import pyconv
from pyconv.callbacks import ModelCheckpoint

X, Y = np.eye(2, dtype=np.float32).repeat(4, axis=0), np.arange(8.0)


def small_model(rate=0.01):
    model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(1)])
    model.compile(pyconv.optimizers.SGD(rate), "mse")
    return model


class Saves:
    """A model that notes where it is saved."""

    def __init__(self):
        self.paths, self.weights_paths = [], []

    def save(self, path, overwrite):
        self.paths.append(path)

    def save_weights(self, path, overwrite):
        self.weights_paths.append(path)


def run(checkpoint, values, key="val_loss", batches=0):
    model = Saves()
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    for epoch, value in enumerate(values):
        checkpoint.on_epoch_begin(epoch)
        for batch in range(batches):
            checkpoint.on_train_batch_end(batch, {key: value})
        checkpoint.on_epoch_end(epoch, {key: value})
    checkpoint.on_train_end()
    return model


@pytest.mark.parametrize(
    "name", ["m.hdf5", "m.h5", "m.keras", "m.weights.h5", "model.weights.best.hdf5", "m"]
)
@pytest.mark.parametrize("weights_only", [False, True])
def test_any_suffix_holds_the_weights(tmp_path, name, weights_only):
    path = tmp_path / name
    model = small_model()
    model.fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(path, save_weights_only=weights_only)])
    other = small_model()
    other.load_weights(path)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    if not weights_only:
        loaded = pyconv.models.load_model(path)
        assert loaded.optimizer.iterations == model.optimizer.iterations == 1


def test_places_are_filled_in_and_folders_made(tmp_path):
    path = tmp_path / "deep" / "{epoch:02d}-{val_loss:.2f}.hdf5"
    history = small_model().fit(
        X, Y, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[ModelCheckpoint(path)]
    )
    losses = history.history["val_loss"]
    wanted = [f"{epoch + 1:02d}-{losses[epoch]:.2f}.hdf5" for epoch in range(2)]
    assert sorted(p.name for p in path.parent.iterdir()) == wanted


@pytest.mark.parametrize(
    ("arguments", "values", "saved"),
    [
        ({}, [3, 2, 4], [1, 2, 3]),
        ({"save_best_only": True}, [3, 2, 2, 4, 1], [1, 2, 5]),
        ({"save_best_only": True, "mode": "max"}, [3, 2, 4], [1, 3]),
        ({"save_best_only": True, "initial_value_threshold": 2.5}, [3, 2, 1], [2, 3]),
        ({"save_best_only": True}, [np.nan, 2, np.nan], [2]),
    ],
)
def test_epochs_that_are_saved(arguments, values, saved):
    model = run(ModelCheckpoint("{epoch}", **arguments), values)
    assert model.paths == [str(epoch) for epoch in saved]
    assert model.weights_paths == []


def test_direction_follows_the_name():
    checkpoint = ModelCheckpoint("{epoch}", monitor="val_accuracy", save_best_only=True)
    assert run(checkpoint, [0.3, 0.2, 0.4], "val_accuracy").paths == ["1", "3"]


def test_best_value_is_kept_from_one_fit_to_the_next():
    checkpoint = ModelCheckpoint("{epoch}", save_best_only=True)
    assert run(checkpoint, [3, 2]).paths == ["1", "2"]
    assert run(checkpoint, [2.5, 1.5]).paths == ["2"]


def test_every_so_many_batches():
    checkpoint = ModelCheckpoint("{epoch}-{batch}", save_freq=3, save_weights_only=True)
    model = run(checkpoint, [1, 1], batches=4)
    assert model.weights_paths == ["1-3", "2-2"]
    assert model.paths == []


def test_messages_of_the_best(capsys):
    run(ModelCheckpoint("x.hdf5", verbose=1, save_best_only=True), [1.3582, 2.0, 0.94448])
    assert capsys.readouterr().out == (
        "\nEpoch 1: val_loss improved from None to 1.35820, saving model to x.hdf5\n"
        "\nEpoch 1: finished saving model to x.hdf5\n"
        "\nEpoch 2: val_loss did not improve from 1.35820\n"
        "\nEpoch 3: val_loss improved from 1.35820 to 0.94448, saving model to x.hdf5\n"
        "\nEpoch 3: finished saving model to x.hdf5\n"
    )


def test_messages_of_every_epoch(capsys):
    run(ModelCheckpoint("x", verbose=1), [1.0])
    assert capsys.readouterr().out == (
        "\nEpoch 1: saving model to x\n\nEpoch 1: finished saving model to x\n"
    )


def test_silent_by_default(capsys):
    run(ModelCheckpoint("x", save_best_only=True), [1.0, 2.0])
    assert capsys.readouterr().out == ""


def test_missing_metric_warns_and_saves():
    with pytest.warns(UserWarning, match="Can save best model only with val_loss available"):
        model = run(ModelCheckpoint("{epoch}", save_best_only=True), [1.0], "loss")
    assert model.paths == ["1"]


def test_best_only_holds_the_best_weights(tmp_path):
    path = tmp_path / "best.hdf5"
    model, kept = small_model(0.6), []
    note = pyconv.callbacks.Callback()
    note.on_epoch_end = lambda epoch, logs: kept.append((logs["loss"], model.get_weights()))
    # The rate is so large that the loss grows in the end.
    model.fit(
        X, Y, epochs=6, verbose=0, shuffle=False,
        callbacks=[note, ModelCheckpoint(path, "loss", save_best_only=True)],
    )  # fmt: skip
    best = min(range(6), key=lambda epoch: kept[epoch][0])
    other = small_model()
    other.load_weights(path)
    for a, b in zip(kept[best][1], other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("filepath", ["{nothing}", "{0}", "{epoch:q}", "{epoch"])
def test_place_that_cannot_be_filled_in(filepath):
    with pytest.raises(ValueError, match="ModelCheckpoint: filepath .* cannot be filled in from"):
        run(ModelCheckpoint(filepath), [1.0])


def test_a_folder_in_the_way(tmp_path):
    model = small_model()
    with pytest.raises(OSError, match=tmp_path.name):
        model.fit(X, Y, epochs=3, verbose=0, callbacks=[ModelCheckpoint(tmp_path)])
    assert list(tmp_path.iterdir()) == []
    assert model.optimizer.iterations == 1


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"filepath": None}, TypeError, "filepath must be a str or a path, got None"),
        ({"filepath": 5}, TypeError, "filepath must be a str or a path"),
        ({"save_freq": "batch"}, ValueError, "Unrecognized save_freq 'batch'; it must be 'epoch'"),
        ({"save_freq": 0}, ValueError, "save_freq must be a positive"),
        ({"save_freq": 1.5}, TypeError, "save_freq must be an integer"),
        ({"monitor": None}, TypeError, "monitor must be the name of a metric"),
        ({"initial_value_threshold": "low"}, TypeError, "initial_value_threshold must be a number"),
    ],
)
def test_wrong_arguments(arguments, error, match):
    with pytest.raises(error, match=f"ModelCheckpoint: .*{match}"):
        ModelCheckpoint(**{"filepath": "x", **arguments})
