"""Callbacks: what Keras's do, step by step, and what becomes of errors in them."""

import gc
import pickle
import weakref

import numpy as np
import pytest

import pyconv
from pyconv.callbacks import (
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LearningRateScheduler,
    ReduceLROnPlateau,
)


class Model:
    """What callbacks that watch a metric need of a model: its weights are the epoch's number."""

    def __init__(self):
        self.stop_training = False
        self.optimizer = pyconv.optimizers.SGD(1.0)
        self.weights = None

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def run(callback, values, key="val_loss", model=None):
    """Give a callback these values, an epoch each, until it stops; return the model."""
    model = model or Model()
    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    model.logs = []
    for epoch, value in enumerate(values):
        model.weights = epoch
        logs = {key: value}
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, logs)
        model.logs.append(logs)
        if model.stop_training:
            break
    callback.on_train_end()
    return model


def small_model(**compiled):
    model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(1)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    return model


X, Y = np.eye(2, dtype=np.float32).repeat(4, axis=0), np.arange(8.0)


class TestEarlyStopping:
    @pytest.mark.parametrize("patience", [0, 1, 2, 3])
    def test_patience(self, patience):
        stop = EarlyStopping(monitor="loss", patience=patience)
        run(stop, [10.0, 9.0, 8.0, 9.0, 8.9, 8.8, 8.7, 8.6, 8.5], "loss")
        assert stop.stopped_epoch == max(patience, 1) + 2

    def test_never_at_the_first_epoch(self):
        stop = EarlyStopping(patience=0, baseline=1.0)
        assert len(run(stop, [np.nan, np.nan, 1.0]).logs) == 2

    @pytest.mark.parametrize(
        ("arguments", "values", "epochs", "best"),
        [
            ({"patience": 2}, [0.2, 0.15, 0.1, 0.11, 0.12], 5, 2),
            # Nothing beats the baseline: `patience` epochs, and the best of those.
            ({"patience": 5, "baseline": 0.5}, [0.9, 0.8, 0.7, 0.71, 0.72, 0.73], 5, 2),
            # A change of less than min_delta is none.
            ({"patience": 2, "min_delta": 0.1}, [1.0, 0.95, 0.91, 0.5], 3, 0),
            ({"patience": 1, "min_delta": -0.1}, [1.0, 0.8, 0.75, 0.5], 3, 1),
            ({"patience": 1, "start_from_epoch": 2}, [9, 1, 5, 6, 7], 4, 2),
            ({"patience": 1}, [1.0, np.nan, 0.5], 2, 0),
        ],
    )
    def test_best_weights_are_restored(self, arguments, values, epochs, best):
        model = run(EarlyStopping(restore_best_weights=True, **arguments), values)
        assert len(model.logs) == epochs
        assert model.weights == best

    def test_weights_are_left_as_they_are_by_default(self):
        assert run(EarlyStopping(), [1.0, 2.0, 3.0]).weights == 1

    @pytest.mark.parametrize(
        ("monitor", "mode", "larger"),
        [
            ("val_loss", "auto", False),
            ("mse", "auto", False),
            ("val_mean_absolute_error", "auto", False),
            ("acc", "auto", True),
            ("val_top_k_categorical_accuracy", "auto", True),
            ("val_mse", "max", True),
            ("score", "min", False),
        ],
    )
    def test_direction(self, monitor, mode, larger):
        stop = EarlyStopping(monitor, mode=mode)
        epochs = len(run(stop, [1.0, 2.0, 3.0], monitor).logs)
        assert epochs == (3 if larger else 2)

    def test_reuse_begins_anew(self):
        stop = EarlyStopping(patience=1)
        assert len(run(stop, [1.0, 2.0]).logs) == 2
        assert len(run(stop, [9.0, 8.0, 7.0]).logs) == 3

    def test_messages(self, capsys):
        run(EarlyStopping(verbose=1, restore_best_weights=True), [1.0, 2.0])
        assert capsys.readouterr().out == (
            "Epoch 2: early stopping\nRestoring model weights from the end of the best epoch: 1.\n"
        )

    def test_missing_metric_warns(self):
        with pytest.warns(UserWarning, match="metric `val_loss` which is not available.*: loss"):
            assert len(run(EarlyStopping(), [1.0, 2.0], "loss").logs) == 2

    def test_in_fit(self):
        model = small_model(optimizer=pyconv.optimizers.SGD(0.0))
        history = model.fit(X, Y, epochs=9, verbose=0, callbacks=EarlyStopping("loss", patience=3))
        assert history.epoch == [0, 1, 2, 3]


class TestReduceLROnPlateau:
    @pytest.mark.parametrize(
        ("arguments", "values", "rates"),
        [
            ({"patience": 1}, [1, 1, 1, 1], [1, 1, 0.1, 0.01]),
            ({"patience": 2, "factor": 0.5}, [1, 1, 1, 0.5, 0.5, 0.5], [1, 1, 1, 0.5, 0.5, 0.5]),
            # Less than min_delta better is not better.
            ({"patience": 1, "min_delta": 0.1}, [1, 0.95, 0.8], [1, 1, 0.1]),
            ({"patience": 1, "cooldown": 2}, [1, 1, 1, 1, 1], [1, 1, 0.1, 0.1, 0.01]),
            ({"patience": 1, "min_lr": 0.05}, [1, 1, 1, 1], [1, 1, 0.1, 0.05]),
            ({"patience": 1, "mode": "max"}, [1, 2, 3, 3], [1, 1, 1, 1]),
            ({"patience": 1}, [1, np.nan, np.nan], [1, 1, 0.1]),
        ],
    )
    def test_rates(self, arguments, values, rates):
        """The rate in the logs is that of the epoch, before a reduction at its end."""
        model = run(ReduceLROnPlateau(**arguments), values)
        np.testing.assert_allclose([logs["learning_rate"] for logs in model.logs], rates)

    def test_message(self, capsys):
        run(ReduceLROnPlateau(patience=1, factor=0.5, verbose=1), [1, 1])
        assert capsys.readouterr().out == (
            "\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.5.\n"
        )

    def test_missing_metric_warns(self):
        with pytest.warns(UserWarning, match="not available.*loss,learning_rate"):
            run(ReduceLROnPlateau(patience=1), [1.0], "loss")

    def test_reuse_begins_anew(self):
        reduce = ReduceLROnPlateau(patience=2)
        run(reduce, [1, 1])
        assert run(reduce, [5, 5]).optimizer.learning_rate == 1

    def test_in_fit(self):
        model = small_model(optimizer=pyconv.optimizers.SGD(0.0))
        model.optimizer.learning_rate = 1e-30
        history = model.fit(
            X, Y, epochs=3, verbose=0, callbacks=[ReduceLROnPlateau("loss", 0.5, 1)]
        )
        np.testing.assert_allclose(history.history["learning_rate"], [1e-30, 1e-30, 5e-31])


class TestLearningRateScheduler:
    @pytest.mark.parametrize(
        ("schedule", "rates"),
        [
            (lambda epoch, lr: lr * 0.5, [0.5, 0.25, 0.125]),
            (lambda epoch: 0.5**epoch, [1, 0.5, 0.25]),
            (lambda epoch, lr=None: 0.25 if lr is None else lr, [1, 1, 1]),
            (lambda epoch: np.float32(0.5), [0.5, 0.5, 0.5]),
        ],
    )
    def test_schedule_of_epoch_and_rate_or_of_epoch_alone(self, schedule, rates):
        model = run(LearningRateScheduler(schedule), [1, 1, 1])
        assert [logs["learning_rate"] for logs in model.logs] == rates
        assert model.optimizer.learning_rate == rates[-1]

    def test_message(self, capsys):
        run(LearningRateScheduler(lambda epoch, lr: lr * 0.5, verbose=1), [1, 1])
        assert capsys.readouterr().out == (
            "\nEpoch 1: LearningRateScheduler setting learning rate to 0.5.\n"
            "\nEpoch 2: LearningRateScheduler setting learning rate to 0.25.\n"
        )

    def test_is_used_by_the_steps(self):
        model = small_model()
        before = model.get_weights()
        model.fit(X, Y, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 0.0)])
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize(
        ("rate", "error"), [(None, TypeError), ("0.1", TypeError), (-1.0, ValueError)]
    )
    def test_a_wrong_rate_ends_training(self, rate, error):
        model = small_model()
        with pytest.raises(error, match="LearningRateScheduler: the schedule's result must be"):
            model.fit(X, Y, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: rate)])

    def test_an_error_of_the_schedule_is_the_users(self):
        def broken(epoch, lr):
            return "a" + 1

        with pytest.raises(TypeError, match="can only concatenate"):
            small_model().fit(X, Y, verbose=0, callbacks=[LearningRateScheduler(broken)])


class TestCSVLogger:
    def lines(self, path):
        return path.read_text(encoding="utf-8").splitlines()

    def test_columns(self, tmp_path):
        path = tmp_path / "log.csv"
        model = small_model(metrics=["mae"])
        history = model.fit(
            X, Y, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[CSVLogger(path)]
        ).history
        lines = self.lines(path)
        assert lines[0] == "epoch,loss,mae,val_loss,val_mae"
        for epoch in range(2):
            values = lines[1 + epoch].split(",")
            assert values[0] == str(epoch)
            assert [float(v) for v in values[1:]] == [history[k][epoch] for k in sorted(history)]
        assert len(lines) == 3

    def test_append_separator_and_overwrite(self, tmp_path):
        path = tmp_path / "log.csv"
        run(CSVLogger(path, separator=";"), [1.5])
        run(CSVLogger(path, separator=";", append=True), [2.5])
        assert self.lines(path) == ["epoch;val_loss", "0;1.5", "0;2.5"]
        run(CSVLogger(path), [3.5])
        assert self.lines(path) == ["epoch,val_loss", "0,3.5"]

    def test_append_to_nothing_and_to_a_torn_line(self, tmp_path):
        path = tmp_path / "log.csv"
        run(CSVLogger(path, append=True), [1.5])
        path.write_text(path.read_text()[:-1])
        run(CSVLogger(path, append=True), [2.5])
        assert self.lines(path) == ["epoch,val_loss", "0,1.5", "0,2.5"]

    def test_missing_and_additional_metrics(self, tmp_path):
        path = tmp_path / "log.csv"
        logger = CSVLogger(path)
        logger.on_train_begin()
        logger.on_epoch_end(0, {"loss": 1.0})
        with pytest.warns(UserWarning, match="no column for other"):
            logger.on_epoch_end(1, {"other": 2.0})
        logger.on_train_end()
        assert self.lines(path) == ["epoch,loss", "0,1.0", "1,NA"]

    def test_validation_every_other_epoch(self, tmp_path):
        path = tmp_path / "log.csv"
        small_model().fit(
            X, Y, epochs=2, verbose=0, validation_data=(X, Y), validation_freq=2,
            callbacks=[CSVLogger(path)],
        )  # fmt: skip
        lines = self.lines(path)
        assert lines[0] == "epoch,loss,val_loss"
        assert lines[1].endswith(",NA")
        assert not lines[2].endswith(",NA")

    def test_each_line_is_on_disk_at_once(self, tmp_path):
        path = tmp_path / "log.csv"
        logger = CSVLogger(path)
        logger.on_train_begin()
        logger.on_epoch_end(0, {"loss": 1.0})
        assert self.lines(path) == ["epoch,loss", "0,1.0"]
        logger.on_train_end()

    def test_append_to_another_file(self, tmp_path):
        path = tmp_path / "log.csv"
        path.write_text("time,loss\n")
        with pytest.raises(ValueError, match="must begin with a column 'epoch'"):
            run(CSVLogger(path, append=True), [1.0])
        assert path.read_text() == "time,loss\n"

    def test_no_such_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            small_model().fit(X, Y, verbose=0, callbacks=[CSVLogger(tmp_path / "no" / "log.csv")])


class TestHistory:
    def test_goes_on_as_keras_does(self):
        model = small_model()
        first = model.fit(X, Y, epochs=2, verbose=0)
        assert first is model.history
        assert first.epoch == [0, 1]
        second = model.fit(X, Y, initial_epoch=2, epochs=5, verbose=0)
        assert second.epoch == [2, 3, 4]
        assert len(second.history["loss"]) == 3
        again = model.fit(X, Y, epochs=1, verbose=0, callbacks=[second])
        assert again is second
        assert again.epoch == [0]
        assert len(again.history["loss"]) == 4

    def test_a_model_that_nobody_needs_is_freed_at_once(self):
        model = small_model()
        model.fit(X, Y, epochs=2, verbose=0)
        freed = weakref.ref(model), weakref.ref(model.optimizer)
        gc.disable()
        try:
            del model
            assert [reference() for reference in freed] == [None, None]
        finally:
            gc.enable()

    def test_keeps_the_model_for_who_keeps_the_history(self):
        history = small_model().fit(X, Y, verbose=0)
        assert history.model.history is history

    def test_of_a_model_is_there_for_who_did_not_keep_it(self):
        model = small_model()
        assert model.history is None
        model.fit(X, Y, epochs=2, verbose=0)
        assert model.history.epoch == [0, 1]
        assert model.history.params["epochs"] == 2
        assert model.history.model is model
        kept = pickle.loads(pickle.dumps(model)).history
        assert kept.history == model.history.history


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: EarlyStopping(patience=-1), ValueError, "EarlyStopping: patience must be from 0"),
        (lambda: EarlyStopping(patience=1.5), TypeError, "patience must be an integer"),
        (lambda: run(EarlyStopping("what"), [1.0], "what"), ValueError, "mode='min' or mode='max'"),
        (lambda: EarlyStopping(5), TypeError, "monitor must be the name of a metric"),
        (lambda: EarlyStopping(baseline="low"), TypeError, "baseline must be a number"),
        (lambda: ReduceLROnPlateau(factor=1.0), ValueError, "factor must be below 1"),
        (lambda: ReduceLROnPlateau(min_lr=-1), ValueError, "min_lr must be at least 0"),
        (lambda: ReduceLROnPlateau(cooldown=-1), ValueError, "cooldown must be from 0"),
        (lambda: LearningRateScheduler(0.1), TypeError, "schedule must be callable"),
        (lambda: CSVLogger(None), TypeError, "CSVLogger: filename must be a str"),
        (lambda: CSVLogger("a", separator=""), ValueError, "separator must be one character"),
        (lambda: CSVLogger("a", separator=1), TypeError, "separator must be a str"),
        (lambda: CallbackList([History]), TypeError, r"give an instance: History\(\)"),
        (lambda: CallbackList(["History"]), TypeError, "callbacks must be Callback objects"),
        (lambda: Callback().model, RuntimeError, "model is not known before fit begins"),
    ],
)
def test_wrong_arguments(make, error, match):
    with pytest.raises(error, match=match):
        make()
