"""Callbacks that restore, swap, stop or call functions."""

import numpy as np
import pytest

import pyconv
from pyconv.callbacks import (
    BackupAndRestore,
    Callback,
    CallbackList,
    EarlyStopping,
    History,
    LambdaCallback,
    MonitorCallback,
    ProgbarLogger,
    ReduceLROnPlateau,
    SwapEMAWeights,
    TerminateOnNaN,
)

RNG = np.random.default_rng(0)
X, Y = RNG.random((10, 3)).astype(np.float32), RNG.random((10, 2)).astype(np.float32)


def compiled(optimizer="adam", **arguments):
    pyconv.utils.set_random_seed(1)
    layers = [pyconv.Input((3,)), pyconv.layers.Dropout(0.5), pyconv.layers.Dense(2)]
    model = pyconv.Sequential(layers)
    model.compile(optimizer, "mse", **arguments)
    return model


class Interrupt(Callback):
    """Raises after so many batches of a training."""

    def __init__(self, batches):
        self.left = batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise RuntimeError("interrupted")


class TestBackupAndRestore:
    @pytest.mark.parametrize("optimizer", ["adam", "sgd"])
    def test_goes_on_with_the_same_bits(self, tmp_path, optimizer):
        straight = compiled(optimizer)
        straight.fit(X, Y, 4, 5, verbose=0)

        broken, backup = compiled(optimizer), BackupAndRestore(tmp_path / "backup")
        with pytest.raises(RuntimeError, match="interrupted"):
            broken.fit(X, Y, 4, 5, verbose=0, callbacks=[backup, Interrupt(7)])
        assert (tmp_path / "backup").exists()

        # As after a restart: another model, another place of the random generator.
        resumed = compiled(optimizer)
        pyconv.utils.set_random_seed(99)
        history = resumed.fit(
            X, Y, 4, 5, verbose=0, callbacks=[BackupAndRestore(backup.backup_dir)]
        )
        assert history.epoch == [2, 3, 4]
        for a, b in zip(straight.get_weights(), resumed.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        assert not (tmp_path / "backup").exists()

    def test_every_so_many_batches(self, tmp_path):
        model, backup = compiled(), BackupAndRestore(tmp_path / "b", save_freq=2)
        with pytest.raises(RuntimeError):
            model.fit(X, Y, 4, 2, verbose=0, callbacks=[backup, Interrupt(3)])
        model.fit(X, Y, 4, 2, verbose=0, callbacks=[backup])
        # Two steps were backed up; the epoch begins anew.
        assert model.optimizer.iterations == 2 + 6

    def test_learning_rate_is_restored(self, tmp_path):
        model, backup = compiled(), BackupAndRestore(tmp_path / "b")
        model.optimizer.learning_rate = 0.125
        with pytest.raises(RuntimeError):
            model.fit(X, Y, 4, 2, verbose=0, callbacks=[backup, Interrupt(4)])
        other = compiled()
        other.fit(X, Y, 4, 2, verbose=0, callbacks=[BackupAndRestore(tmp_path / "b")])
        assert other.optimizer.learning_rate == 0.125

    @pytest.mark.parametrize("damage", [b"", b"not a file of tensors", None])
    def test_damaged_file(self, tmp_path, damage):
        model = compiled()
        backup = BackupAndRestore(tmp_path / "b", double_checkpoint=True)
        with pytest.raises(RuntimeError):
            model.fit(X, Y, 4, 5, verbose=0, callbacks=[backup, Interrupt(7)])
        path = tmp_path / "b" / "latest.safetensors"
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage is None else damage)
        history = model.fit(X, Y, 4, 3, verbose=0, callbacks=[backup])
        assert history.epoch == [1, 2]  # from the file before

    def test_damaged_file_without_another(self, tmp_path):
        model, backup = compiled(), BackupAndRestore(tmp_path)
        (tmp_path / "latest.safetensors").write_bytes(b"x" * 100)
        before = model.get_weights()
        with pytest.raises(ValueError, match="is damaged or of another model"):
            model.fit(X, Y, verbose=0, callbacks=[backup])
        np.testing.assert_array_equal(model.get_weights()[0], before[0])
        assert (tmp_path / "latest.safetensors").exists()

    def test_of_another_model(self, tmp_path):
        model, backup = compiled(), BackupAndRestore(tmp_path)
        with pytest.raises(RuntimeError):
            model.fit(X, Y, 4, 2, verbose=0, callbacks=[backup, Interrupt(4)])
        other = pyconv.Sequential([pyconv.Input((3,)), pyconv.layers.Dense(1)])
        other.compile("adam", "mse")
        with pytest.raises(ValueError, match="of another model"):
            other.fit(X, Y[:, :1], verbose=0, callbacks=[BackupAndRestore(tmp_path)])

    def test_kept_where_asked_for(self, tmp_path):
        backup = BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
        compiled().fit(X, Y, verbose=0, callbacks=[backup])
        assert (tmp_path / "b" / "latest.safetensors").exists()

    def test_fit_builds_the_model_before(self, tmp_path):
        model = pyconv.Sequential([pyconv.layers.Dense(2)])
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path / "b")])

    @pytest.mark.parametrize("value", ["batch", 0.15, 0, True])
    def test_wrong_save_freq(self, value):
        with pytest.raises(ValueError, match="Invalid value for argument `save_freq`"):
            BackupAndRestore("b", save_freq=value)

    @pytest.mark.parametrize("value", ["", None])
    def test_no_folder(self, value):
        with pytest.raises(ValueError, match="Empty `backup_dir` argument passed"):
            BackupAndRestore(value)


class TestTerminateOnNaN:
    def test_stops(self, capsys):
        model = compiled(pyconv.optimizers.SGD(1e30))
        history = model.fit(X, Y, 4, 9, verbose=0, callbacks=[TerminateOnNaN()])
        assert len(history.epoch) == 1
        assert "Invalid loss, terminating training" in capsys.readouterr().out

    def test_raises(self):
        model = compiled(pyconv.optimizers.SGD(1e30))
        with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch"):
            model.fit(X, Y, 4, 9, verbose=0, callbacks=[TerminateOnNaN(raise_error=True)])

    def test_leaves_a_good_training_alone(self):
        history = compiled().fit(X, Y, epochs=2, verbose=0, callbacks=[TerminateOnNaN()])
        assert len(history.epoch) == 2


class TestSwapEMAWeights:
    def test_evaluates_the_average_and_trains_on(self):
        optimizer = pyconv.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9)
        model = compiled(optimizer)
        seen = {}

        def note(name):
            return lambda *_: seen.setdefault(name, model.get_weights()[0])

        look = LambdaCallback(on_test_begin=note("test"), on_epoch_end=note("epoch"))
        model.fit(X, Y, 4, 1, 0, [SwapEMAWeights(), look], validation_data=(X, Y), shuffle=False)
        # fit leaves the average in the model, as without the callback.
        np.testing.assert_array_equal(seen["test"], model.get_weights()[0])
        assert not np.allclose(seen["test"], seen["epoch"])

    def test_average_at_the_end_of_epochs(self):
        optimizer = pyconv.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9)
        model, seen = compiled(optimizer), []
        look = LambdaCallback(
            on_epoch_end=lambda *_: seen.append(model.get_weights()[0]),
            on_epoch_begin=lambda *_: seen.append(model.get_weights()[0]),
        )
        model.fit(X, Y, 4, 2, 0, [SwapEMAWeights(swap_on_epoch=True), look])
        assert not np.allclose(seen[1], seen[2])
        np.testing.assert_array_equal(seen[3], model.get_weights()[0])

    def test_without_average(self):
        with pytest.raises(ValueError, match="when `use_ema=True` is set on the optimizer"):
            compiled().evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()])


class TestLambdaCallback:
    def test_events(self):
        told = []
        events = [f"on_{what}_{when}" for what in ("train", "epoch", "test", "train_batch")
                  for when in ("begin", "end")]  # fmt: skip
        callback = LambdaCallback(
            **{event: lambda *args, event=event: told.append(event) for event in events}
        )
        compiled().fit(X, Y, 5, 1, 0, [callback], validation_data=(X, Y))
        batches = ["on_train_batch_begin", "on_train_batch_end"]
        assert told == [
            "on_train_begin", "on_epoch_begin", *batches, *batches, "on_test_begin", "on_test_end",
            "on_epoch_end", "on_train_end",
        ]  # fmt: skip

    def test_attribute_of_ones_own(self):
        assert LambdaCallback(note="mine").note == "mine"

    def test_no_function(self):
        with pytest.raises(TypeError, match="on_epoch_end must be callable, got 5"):
            LambdaCallback(on_epoch_end=5)


class TestCallbackList:
    def test_in_a_loop_of_ones_own(self, capsys):
        model = compiled()
        callbacks = CallbackList(
            [[LambdaCallback()]], True, True, model, epochs=2, steps=3, verbose=2
        )
        kinds = [type(callback) for callback in callbacks.callbacks]
        assert kinds == [LambdaCallback, History, ProgbarLogger]
        callbacks.on_train_begin()
        for epoch in range(2):
            callbacks.on_epoch_begin(epoch)
            for batch in range(3):
                callbacks.on_train_batch_begin(batch)
                callbacks.on_train_batch_end(batch, {"loss": 1.0})
            callbacks.on_epoch_end(epoch, {"loss": 0.5})
        callbacks.on_train_end()
        assert model.history.history == {"loss": [0.5, 0.5]}
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "Epoch 1/2"
        assert lines[1].startswith("3/3 - ")
        assert lines[1].endswith("/step - loss: 0.5000")

    def test_append(self):
        callbacks = CallbackList()
        callbacks.append(History())
        assert len(callbacks.callbacks) == 1


def test_fit_leaves_the_progress_to_a_progbar_logger(capsys):
    compiled().fit(X, Y, epochs=2, verbose=2, callbacks=[ProgbarLogger()])
    assert capsys.readouterr().out.count("Epoch 2/2") == 1


class TestMonitor:
    def directed(self, monitor, mode="auto"):
        model = compiled(
            metrics=[pyconv.metrics.CosineSimilarity(name="sim"), "hinge", "mse", lambda y, p: 1.0]
        )
        callback = MonitorCallback(monitor, mode)
        callback.set_model(model)
        model.evaluate(X, Y, verbose=0)
        callback._set_monitor_op()
        return callback.monitor_op

    @pytest.mark.parametrize(
        ("monitor", "mode", "op"),
        [
            ("sim", "auto", np.greater),
            ("val_sim", "auto", np.greater),
            ("hinge", "auto", np.less),
            ("val_loss", "auto", np.less),
            ("val_mse", "max", np.greater),
        ],
    )
    def test_direction_is_that_of_the_metric(self, monitor, mode, op):
        assert self.directed(monitor, mode) is op

    def test_unknown_direction(self):
        with pytest.raises(ValueError, match="give mode='min' or mode='max'"):
            self.directed("<lambda>")

    def test_unknown_mode_is_auto_with_a_warning(self):
        with pytest.warns(UserWarning, match="mode 'most' is unknown, fallback to auto"):
            assert EarlyStopping(mode="most").mode == "auto"


def test_reduced_rate_has_the_decimals_of_float32():
    model = compiled(pyconv.optimizers.SGD(0.1))
    reduce = ReduceLROnPlateau("loss", patience=0, mode="max", min_delta=1e9)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[reduce])
    assert model.optimizer.learning_rate == 0.01


@pytest.mark.parametrize("streamed", [False, True])
def test_targets_that_are_not_finite_are_for_terminate_on_nan(streamed):
    x, y = np.ones((3, 2), np.float32), np.array([[1.0], [np.inf], [1.0]])
    model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = ((x[i : i + 1], y[i : i + 1]) for i in range(3))
    given = {"x": data} if streamed else {"x": x, "y": y, "batch_size": 1, "shuffle": False}
    stop = pyconv.callbacks.TerminateOnNaN(raise_error=True)
    with pytest.raises(RuntimeError, match="loss encountered at batch 1"):
        model.fit(**given, verbose=0, callbacks=[stop])
    with pytest.raises(ValueError, match="fit: y must be finite, got inf at row 1"):
        model.fit(x, y, verbose=0)


def test_a_layer_that_counts_its_calls():
    class Counter(pyconv.layers.Layer):
        def __init__(self):
            super().__init__()
            self.count = self.add_weight((), "zeros", trainable=False, name="count")

        def call(self, x):
            self.count.assign_add(1)
            return x

    counter = Counter()
    model = pyconv.Sequential([pyconv.Input((2,)), counter, pyconv.layers.Dense(1)])
    assert int(counter.count) == 0
    model.compile("sgd", "mse")
    model.fit(np.ones((6, 2)), np.ones((6, 1)), batch_size=2, epochs=2, verbose=0)
    assert int(counter.count) == 6
