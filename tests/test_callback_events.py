"""When callbacks are called, with what, and what happens where one of them fails."""

import numpy as np
import pytest

import pyconv
from pyconv.callbacks import Callback, CallbackList

X, Y = np.eye(2, dtype=np.float32).repeat(2, axis=0), np.arange(4.0)
EVENTS = [name for name in vars(Callback) if name.startswith("on_") and "on_batch" not in name]


def small_model():
    model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


class Recorder(Callback):
    """Notes each event and what it is given."""

    def __init__(self):
        self.events, self.given = [], []


def _recorded(event):
    def method(self, *args):
        self.events.append(event[3:])
        self.given.append(args)

    return method


for _event in EVENTS:
    setattr(Recorder, _event, _recorded(_event))


def test_order_in_fit():
    recorder = Recorder()
    small_model().fit(
        X, Y, batch_size=2, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[recorder]
    )
    batch, test = ["train_batch_begin", "train_batch_end"], ["test_batch_begin", "test_batch_end"]
    epoch = ["epoch_begin", *batch * 2, "test_begin", *test * 2, "test_end", "epoch_end"]
    assert recorder.events == ["train_begin", *epoch * 2, "train_end"]
    assert recorder.params == {"epochs": 2, "steps": 2, "verbose": 0, "do_validation": True}


def test_order_in_evaluate_and_predict():
    recorder, model = Recorder(), small_model()
    model.evaluate(X, Y, batch_size=2, verbose=0, callbacks=[recorder])
    assert recorder.events == [
        "test_begin", *["test_batch_begin", "test_batch_end"] * 2, "test_end"
    ]  # fmt: skip
    assert recorder.params == {"steps": 2, "verbose": 0}
    recorder = Recorder()
    outputs = model.predict(X, batch_size=3, verbose=0, callbacks=recorder)
    assert recorder.events == [
        "predict_begin", *["predict_batch_begin", "predict_batch_end"] * 2, "predict_end"
    ]  # fmt: skip
    np.testing.assert_array_equal(recorder.given[-2][1]["outputs"], outputs[3:])


def test_what_they_are_given():
    recorder = Recorder()
    history = small_model().fit(
        X, Y, batch_size=2, epochs=1, verbose=0, validation_data=(X, Y), callbacks=[recorder]
    )
    given = dict(zip(recorder.events, recorder.given, strict=True))
    assert given["epoch_begin"][0] == given["epoch_end"][0] == 0
    assert given["train_batch_end"][0] == given["test_batch_end"][0] == 1
    logs = given["epoch_end"][1]
    assert list(logs) == ["loss", "mae", "val_loss", "val_mae"]
    assert {key: [value] for key, value in logs.items()} == history.history
    # The means so far: at the last batch those of the epoch.
    assert given["train_batch_end"][1] == {"loss": logs["loss"], "mae": logs["mae"]}
    assert given["test_end"][0] == {"loss": logs["val_loss"], "mae": logs["val_mae"]}
    assert given["train_end"][0] == logs


def test_each_callback_sees_what_the_earlier_ones_wrote(capsys):
    first, second = Callback(), Recorder()
    first.on_epoch_end = lambda epoch, logs: logs.update(mine=0.5)
    history = small_model().fit(X, Y, verbose=2, callbacks=[first, second])
    assert second.given[-2][1]["mine"] == 0.5
    assert history.history["mine"] == [0.5]
    assert " - mine: 0.5000" in capsys.readouterr().out


def test_a_callback_needs_no_constructor_and_one_is_enough():
    class Counter(Callback):
        count = 0

        def __init__(self):
            pass

        def on_batch_end(self, batch, logs=None):
            Counter.count += 1

    small_model().fit(X, Y, batch_size=1, verbose=0, callbacks=Counter())
    assert Counter.count == 4


def test_new_names_go_before_old_ones():
    class Both(Callback):
        def __init__(self):
            self.calls = []

        def on_batch_begin(self, batch, logs=None):
            self.calls.append("old begin")

        def on_train_batch_end(self, batch, logs=None):
            self.calls.append("new end")

        def on_batch_end(self, batch, logs=None):
            self.calls.append("old end")

    both = Both()
    small_model().fit(X, Y, verbose=0, callbacks=[both])
    assert both.calls == ["old begin", "new end"]


def test_events_that_nobody_listens_to_have_no_listeners():
    silent, recorder = Callback(), Recorder()
    assert CallbackList([silent]).listeners("on_train_batch_end") == []
    assert len(CallbackList([silent, recorder, recorder]).listeners("on_train_batch_end")) == 2
    assert CallbackList(CallbackList(recorder)).callbacks == [recorder]


@pytest.mark.parametrize("event", ["on_epoch_end", "on_train_batch_end"])
def test_training_can_be_stopped(event):
    model, stop = small_model(), Callback()
    setattr(stop, event, lambda number, logs: setattr(model, "stop_training", True))
    history = model.fit(X, Y, batch_size=1, epochs=5, verbose=0, callbacks=[stop])
    assert history.epoch == [0]
    assert model.optimizer.iterations == (4 if event == "on_epoch_end" else 1)
    # A stop lasts for one fit.
    assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]


class CallbackError(Exception):
    """Raised by the callbacks below."""


def fails(event):
    callback = Callback()

    def method(*args):
        raise CallbackError(event)

    setattr(callback, event, method)
    return callback


@pytest.mark.parametrize("event", [e for e in EVENTS if "predict" not in e and e != "on_train_end"])
def test_an_error_passes_out_of_fit_and_the_others_are_told_the_end(event):
    model, recorder = small_model(), Recorder()
    with pytest.raises(CallbackError, match=event):
        model.fit(
            X, Y, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[fails(event), recorder]
        )
    assert recorder.events[-1] == "train_end"
    assert recorder.events.count("train_end") == 1
    # Nothing is left behind: the next fit is as any other.
    assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]


def test_an_error_at_the_end_lets_the_others_end_too():
    recorder = Recorder()
    with pytest.raises(CallbackError):
        small_model().fit(X, Y, verbose=0, callbacks=[fails("on_train_end"), recorder])
    assert recorder.events[-1] == "train_end"


def test_the_first_error_passes_out_and_a_second_one_is_a_warning():
    with (
        pytest.warns(UserWarning, match="on_train_end failed: CallbackError"),
        pytest.raises(CallbackError, match="on_epoch_begin"),
    ):
        small_model().fit(
            X, Y, verbose=0, callbacks=[fails("on_epoch_begin"), fails("on_train_end")]
        )


@pytest.mark.parametrize(
    ("method", "event"),
    [("evaluate", e) for e in EVENTS if "_test_" in e]
    + [("predict", e) for e in EVENTS if "predict" in e],
)
def test_errors_in_evaluate_and_predict(method, event):
    model = small_model()
    arguments = (X, Y) if method == "evaluate" else (X,)
    with pytest.raises(CallbackError, match=event):
        getattr(model, method)(*arguments, verbose=0, callbacks=[fails(event)])


def test_a_bar_that_an_error_cuts_off_ends_its_line(capsys, monkeypatch):
    monkeypatch.setattr("pyconv.progress.REFRESH", 0.0)
    monkeypatch.setattr("pyconv.progress._overwrites", lambda out: True)
    with pytest.raises(CallbackError):
        small_model().fit(X, Y, batch_size=1, callbacks=[fails("on_epoch_end")])
    assert capsys.readouterr().out.endswith("\n")


class Batches(pyconv.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        assert logs == {}
        self.seen.append(("begin", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(("end", batch, sorted(logs)))

    def on_test_batch_end(self, batch, logs=None):
        self.seen.append(("test", batch))
        self.model.stop_evaluating = batch == 1

    def on_predict_batch_end(self, batch, logs=None):
        self.model.stop_predicting = batch == 1


def small():
    model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(1)])
    return model, np.ones((10, 2)), np.ones((10, 1))


def test_steps_per_execution_calls_callbacks_after_so_many_batches():
    model, x, y = small()
    model.compile("sgd", "mse", steps_per_execution=2)
    calls = Batches()
    model.fit(x, y, 2, verbose=0, callbacks=[calls])
    begins = [("begin", 0), ("begin", 2), ("begin", 4)]
    assert calls.seen[::2] == begins
    assert calls.seen[1::2] == [("end", i, ["loss"]) for i in (1, 3, 5)]
    with pytest.raises(ValueError, match="compile: steps_per_execution must be"):
        model.compile("sgd", "mse", steps_per_execution=0)


def test_a_callback_ends_evaluation_and_prediction():
    model, x, y = small()
    model.compile("sgd", "mse")
    calls = Batches()
    loss = model.evaluate(x, y, 2, verbose=0, callbacks=[calls])
    assert calls.seen == [("test", 0), ("test", 1)]
    assert loss == pytest.approx(model.evaluate(x[:4], y[:4], verbose=0))
    assert model.predict(x, 2, verbose=0, callbacks=[calls]).shape == (4, 1)
    assert model.predict(x, 2, verbose=0).shape == (10, 1)
    assert model.predict(iter([x[:2]] * 5), verbose=0, callbacks=[calls]).shape == (4, 1)
