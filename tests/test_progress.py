"""The lines that fit, evaluate and predict print."""

import io
import re

import numpy as np
import pytest
from networks import images, small_cnn

import pyconv
from pyconv import progress
from pyconv.progress import Progress

X, Y = images(40)


class Clock:
    """Time that passes only when told to."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(progress.time, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def epoch(shown, clock, steps, seconds, logs, told=None, rows=32, epochs=(0, 1)):
    told = steps if told is None else told
    shown.begin(told if told else None, *epochs)
    for _ in range(steps):
        clock.now += seconds
        shown.update(rows, lambda: logs)
    shown.finish(logs)


LOGS = {"loss": 1.6192, "val_loss": 1.3582, "accuracy": 0.414, "val_accuracy": 0.5166}


class TestLineAnEpoch:
    def test_as_keras_has_it(self, clock):
        out = io.StringIO()
        shown = Progress(2, out)
        shown.begin(1407, 0, 5)
        for _ in range(1407):
            clock.now += 0.0327
            shown.update(32, dict)
        shown.finish(LOGS)
        assert out.getvalue() == (
            "Epoch 1/5\n"
            "1407/1407 - 46s - 33ms/step - accuracy: 0.4140 - loss: 1.6192 - "
            "val_accuracy: 0.5166 - val_loss: 1.3582\n"
        )

    def test_one_epoch_has_no_title(self, clock):
        out = io.StringIO()
        epoch(Progress(2, out), clock, 3, 2.0, {})
        assert out.getvalue() == "3/3 - 6s - 2s/step\n"

    def test_validation_counts_for_the_seconds_but_not_for_the_step(self, clock):
        out = io.StringIO()
        shown = Progress(2, out)
        shown.begin(2)
        for _ in range(2):
            clock.now += 0.5
            shown.update(1, dict)
        clock.now += 9
        shown.finish({})
        assert out.getvalue() == "2/2 - 10s - 500ms/step\n"

    def test_unknown_number_of_steps(self, clock):
        out = io.StringIO()
        shown = Progress(2, out)
        shown.begin(None)
        for _ in range(3):
            clock.now += 250e-6
            shown.update(1, dict)
        shown.finish({"loss": 1.0})
        assert out.getvalue() == "3/3 - 0s - 250us/step - loss: 1.0000\n"


def test_silent(clock):
    out = io.StringIO()
    epoch(Progress(0, out), clock, 3, 9.0, LOGS, epochs=(0, 2))
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.61921, "1.6192"),
        (0.0011, "0.0011"),
        (0.001, "1.0000e-03"),
        (0.0, "0.0000e+00"),
        (-2.5, "-2.5000"),
        (-1e-5, "-1.0000e-05"),
        (12345.678, "12345.6780"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_values(value, text):
    assert progress.format_logs({"b": value, "a": 1.0}) == f" - a: 1.0000 - b: {text}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2.4, "2s/step"),
        (1.0, "1s/step"),
        (0.0327, "33ms/step"),
        (0.001, "1ms/step"),
        (0.00025, "250us/step"),
        (0.0, "0s/step"),
    ],
)
def test_time_of_a_step(seconds, text):
    assert progress.format_step_time(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0s"), (12.9, "12s"), (60, "60s"), (61, "1:01"), (125, "2:05"), (3609, "1:00:09")],
)
def test_time_left(seconds, text):
    assert progress.format_time_left(seconds) == text


class TestBar:
    def states(self, out):
        """What each rewriting of the line shows, without colours."""
        plain = re.sub(r"\x1b\[\d+m", "", out.getvalue())
        return plain.split("\r")[1:]

    def test_states_on_a_terminal(self, clock, monkeypatch):
        monkeypatch.setattr(progress, "_columns", lambda: 200)
        out = Terminal()
        shown = Progress(1, out)
        shown.begin(100, 1, 5)
        for _ in range(100):
            clock.now += 0.5
            shown.update(32, lambda: {"loss": 0.5})
        shown.finish({"loss": 0.5, "val_loss": 0.25})
        assert out.getvalue().startswith("Epoch 2/5\n\r\x1b[1m")
        states = self.states(out)
        assert len(states) == 101
        assert states[0] == f"  1/100 {'━' * 20} 49s 500ms/step 64 images/s - loss: 0.5000"
        assert states[9].startswith(f" 10/100 {'━' * 20} 45s 500ms/step 64 images/s")
        assert states[-1] == (
            f"100/100 {'━' * 20} 50s 500ms/step 64 images/s - loss: 0.5000 - val_loss: 0.2500\n"
        )
        # Two steps of the bar, green, then what is left of it.
        assert f"\x1b[32m{'━' * 2}\x1b[0m\x1b[37m{'━' * 18}\x1b[0m" in out.getvalue()

    def test_is_refreshed_twenty_times_a_second(self, clock):
        out = Terminal()
        epoch(Progress(1, out), clock, 1000, 0.001, {})
        assert 15 <= len(self.states(out)) - 1 <= 20

    def test_a_shorter_line_covers_the_longer_one(self, clock, monkeypatch):
        monkeypatch.setattr(progress, "_columns", lambda: 200)
        out = Terminal()
        shown = Progress(1, out)
        shown.begin(2)
        for logs in ({"long_name": 0.5}, {"a": 0.5}):
            clock.now += 1
            shown.update(1, lambda logs=logs: logs)
        first, second = self.states(out)
        assert len(second) == len(first)
        assert second.rstrip().endswith("a: 0.5000")

    def test_a_narrow_terminal_is_not_wrapped(self, clock, monkeypatch):
        monkeypatch.setattr(progress, "_columns", lambda: 50)
        out = Terminal()
        epoch(Progress(1, out), clock, 5, 1.0, LOGS)
        assert all(len(state) < 50 for state in self.states(out)[:-1])
        assert self.states(out)[-1].endswith(" - val_loss: 1.3582\n")

    def test_unknown_number_of_steps(self, clock):
        out = Terminal()
        shown = Progress(1, out)
        shown.begin(None)
        for _ in range(2):
            clock.now += 1
            shown.update(8, dict)
        shown.finish({})
        first, _, last = self.states(out)
        assert first.rstrip() == "      1/Unknown 1s 1s/step 8 images/s"
        assert last.startswith(f"2/2 {'━' * 20} 2s 1s/step 8 images/s")

    def test_in_a_file_a_line_every_five_seconds(self, clock):
        out = io.StringIO()
        epoch(Progress(1, out), clock, 12, 1.0, {"loss": 2.0}, rows=10)
        lines = out.getvalue().splitlines()
        assert lines == [
            " 5/12 ━━━━━━━━------------ 7s 1s/step 10 images/s - loss: 2.0000",
            "10/12 ━━━━━━━━━━━━━━━━---- 2s 1s/step 10 images/s - loss: 2.0000",
            "12/12 ━━━━━━━━━━━━━━━━━━━━ 12s 1s/step 10 images/s - loss: 2.0000",
        ]
        assert "\x1b" not in out.getvalue()

    def test_an_encoding_without_the_sign(self, clock):
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding="ascii")
        epoch(Progress(1, out), clock, 1, 1.0, {})
        assert raw.getvalue() == b"1/1 ==================== 1s 1s/step 32 images/s\n"

    def test_close_ends_an_open_line_once(self, clock):
        out = Terminal()
        shown = Progress(1, out)
        shown.begin(9)
        clock.now += 1
        shown.update(1, dict)
        shown.close()
        shown.close()
        assert out.getvalue().endswith("images/s\n")
        assert out.getvalue().count("\n") == 1

    def test_an_interrupt_while_the_line_is_written(self, clock):
        class Interrupted(Terminal):
            def flush(self):
                if "\n" not in self.getvalue():
                    raise KeyboardInterrupt

        out = Interrupted()
        shown = Progress(1, out)
        shown.begin(9)
        clock.now += 1
        with pytest.raises(KeyboardInterrupt):
            shown.update(1, dict)
        shown.close()
        assert out.getvalue().endswith("images/s\n")

    def test_no_standard_output(self, monkeypatch, clock):
        monkeypatch.setattr("sys.stdout", None)
        epoch(Progress(1), clock, 2, 1.0, LOGS)


# --- in a model ---------------------------------------------------------------------------------


@pytest.fixture
def model():
    made = small_cnn()
    made.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


NUMBER = r"\d+\.\d{4}(e[-+]\d+)?"
STEP = r"\d+(s|ms|us)/step"


def test_fit_verbose_2(model, capsys):
    model.fit(X, Y, epochs=2, verbose=2, validation_split=0.2)
    line = rf"1/1 - \d+s - {STEP} - accuracy: {NUMBER} - loss: {NUMBER}"
    line += rf" - val_accuracy: {NUMBER} - val_loss: {NUMBER}\n"
    assert re.fullmatch(f"Epoch 1/2\n{line}Epoch 2/2\n{line}", capsys.readouterr().out)


@pytest.mark.parametrize("verbose", [1, "auto", True])
def test_fit_verbose_1(model, capsys, verbose):
    model.fit(X, Y, 16, verbose=verbose)
    line = rf"3/3 ━{{20}} \d+s {STEP} \d+ images/s - accuracy: {NUMBER} - loss: {NUMBER}\n"
    assert re.fullmatch(line, capsys.readouterr().out)


def test_evaluate_and_predict(model, capsys):
    model.evaluate(X, Y, verbose=2)
    metrics = rf" - accuracy: {NUMBER} - loss: {NUMBER}\n"
    assert re.fullmatch(rf"2/2 - \d+s - {STEP}{metrics}", capsys.readouterr().out)
    model.evaluate(X, Y)
    assert re.fullmatch(rf"2/2 ━{{20}} \d+s {STEP} \d+ images/s{metrics}", capsys.readouterr().out)
    model.predict(X, verbose=2)
    assert re.fullmatch(rf"2/2 - \d+s - {STEP}\n", capsys.readouterr().out)
    model.predict(X)
    assert re.fullmatch(rf"2/2 ━{{20}} \d+s {STEP} \d+ images/s\n", capsys.readouterr().out)


def test_nothing(model, capsys):
    model.fit(X, Y, epochs=2, verbose=0, validation_split=0.2)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    model.train_on_batch(X, Y)
    model.predict_on_batch(X)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_the_course_s_lines(model, capsys, tmp_path):
    """The checkpoint's message goes before the epoch's line, as in Keras."""
    path = tmp_path / "model.weights.best.hdf5"
    keep = pyconv.callbacks.ModelCheckpoint(filepath=path, verbose=1, save_best_only=True)
    history = model.fit(
        X, Y, batch_size=32, epochs=1, validation_data=(X, Y), callbacks=[keep], verbose=2,
        shuffle=True,
    ).history  # fmt: skip
    value = history["val_loss"][0]
    first, rest = capsys.readouterr().out.split(f"\nEpoch 1: finished saving model to {path}\n")
    assert (
        first == f"\nEpoch 1: val_loss improved from None to {value:.5f}, saving model to {path}\n"
    )
    assert rest.startswith("2/2 - ")
    assert rest.endswith(f" - val_loss: {value:.4f}\n")


def test_shown_values_are_those_of_the_history(model, capsys):
    history = model.fit(X, Y, epochs=1, verbose=2).history
    assert f"loss: {history['loss'][0]:.4f}" in capsys.readouterr().out
    assert np.isfinite(history["loss"][0])


def test_messages_are_logged_on_request(capsys, caplog):
    from pyconv.compat.keras import config

    model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(1)])
    model.compile("sgd", "mse")
    scheduler = pyconv.callbacks.LearningRateScheduler(lambda epoch: 0.25, verbose=1)
    config.disable_interactive_logging()
    try:
        with caplog.at_level("INFO", "pyconv"):
            model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=2, callbacks=[scheduler])
    finally:
        config.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    first, second = (record.getMessage() for record in caplog.records)
    assert "LearningRateScheduler setting learning rate to 0.25" in first
    assert second.startswith("1/1 - 0s - ")
    assert "loss: " in second


def test_messages_on_a_terminal_that_has_not_all_signs(monkeypatch):
    from pyconv._messages import say

    terminal = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", terminal)
    say("full: ━ é")
    assert terminal.buffer.getvalue() == "full: ? é\n".encode("cp1252")
