"""Ctrl-C: between steps, and everything is whole."""

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time

import numpy as np
import pytest
from networks import images, small_cnn

import pyconv
from pyconv.interrupts import Interrupts

HERE = os.path.dirname(__file__)


@pytest.fixture
def default_handler():
    """SIGINT as a program has it that does not care, whatever the test runner does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt():
    signal.raise_signal(signal.SIGINT)


def compiled():
    pyconv.utils.set_random_seed(0)
    model = small_cnn()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.mark.usefixtures("default_handler")
class TestSteps:
    def test_an_interrupt_waits_for_the_end_of_the_step(self):
        done = []

        def run():
            with Interrupts() as interrupts:
                interrupts.begin_step()
                interrupt()
                done.append("step")
                interrupts.end_step()
                done.append("after")

        with pytest.raises(KeyboardInterrupt):
            run()
        assert done == ["step"]

    def test_a_second_one_does_not_wait(self):
        done = []

        def run():
            with Interrupts() as interrupts:
                interrupts.begin_step()
                interrupt()
                done.append("first")
                interrupt()
                done.append("second")

        with pytest.raises(KeyboardInterrupt):
            run()
        assert done == ["first"]

    def test_between_steps_it_comes_at_once(self):
        done = []

        def run():
            with Interrupts() as interrupts:
                interrupts.begin_step()
                interrupts.end_step()
                interrupt()
                done.append("after")

        with pytest.raises(KeyboardInterrupt):
            run()
        assert done == []

    def test_the_handler_is_given_back(self):
        with Interrupts():
            assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        with pytest.raises(ZeroDivisionError), Interrupts():
            raise ZeroDivisionError
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_nested(self):
        """Such as a training within a callback of another one."""
        done = []

        def run():
            with Interrupts() as outer:
                outer.begin_step()
                with Interrupts() as inner:
                    inner.begin_step()
                    inner.end_step()
                interrupt()
                done.append("step")
                outer.end_step()

        with pytest.raises(KeyboardInterrupt):
            run()
        assert done == ["step"]

    def test_within_a_step_of_fit(self):
        x, y = images(8)
        model, other = compiled(), compiled()
        backward = model._backward
        model._backward = lambda dy: (interrupt(), backward(dy))
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, 4, epochs=3, shuffle=False, verbose=0)
        other.train_on_batch(x[:4], y[:4])
        assert model.optimizer.iterations == 1
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_a_handler_of_the_program_stays(self):
        caught = []
        signal.signal(signal.SIGINT, lambda number, frame: caught.append(number))
        with Interrupts() as interrupts:
            interrupts.begin_step()
            interrupt()
            interrupts.end_step()
        assert caught == [signal.SIGINT]

    def test_other_threads_train_too(self):
        model = compiled()
        worker = threading.Thread(target=lambda: model.fit(*images(8), verbose=0))
        worker.start()
        worker.join()
        assert model.optimizer.iterations == 1

    @pytest.mark.parametrize(
        "event", ["on_train_batch_begin", "on_train_batch_end", "on_epoch_end"]
    )
    def test_in_a_callback(self, event, tmp_path):
        path = tmp_path / "model.hdf5"
        stop, after = pyconv.callbacks.Callback(), pyconv.callbacks.Callback()
        setattr(stop, event, lambda number, logs: interrupt())
        ends = []
        after.on_train_end = lambda logs: ends.append(logs)
        model = compiled()
        with pytest.raises(KeyboardInterrupt):
            model.fit(
                *images(40), epochs=3, verbose=0,
                callbacks=[stop, pyconv.callbacks.ModelCheckpoint(path), after],
            )  # fmt: skip
        assert len(ends) == 1
        # At an epoch's end the callbacks that follow, and the history, are not cut off.
        whole = event == "on_epoch_end"
        assert path.exists() is whole
        assert model.history.epoch == ([0] if whole else [])
        assert model.optimizer.iterations == {"on_epoch_end": 2, "on_train_batch_end": 1}.get(
            event, 0
        )


CHILD = """
import json, os, signal, sys, threading
import numpy as np
sys.path.insert(0, sys.argv[1])
from networks import images, small_cnn
import pyconv

x, y = images(64)
pyconv.utils.set_random_seed(0)
model = small_cnn()
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
keep = pyconv.callbacks.ModelCheckpoint("best.hdf5", "loss", save_best_only=True)
log = pyconv.callbacks.CSVLogger("log.csv", append=True)
delays = np.random.default_rng(5).uniform(0.001, 0.03, int(sys.argv[2]))
history = pyconv.callbacks.History()
epochs = []
for delay in delays:
    timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
    history.epoch = []  # as it is where the interrupt comes before training begins
    try:
        timer.start()
        model.fit(x, y, 8, epochs=10**6, shuffle=False, verbose=0, callbacks=[keep, log, history])
    except KeyboardInterrupt:
        pass
    assert history.epoch == list(range(len(history.epoch)))
    epochs.append(len(history.epoch))
    assert {len(values) for values in history.history.values()} <= {sum(epochs)}
    assert log._file is None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if os.path.exists("best.hdf5"):
        pyconv.models.load_model("best.hdf5")
np.savez("weights.npz", *model.get_weights())
lines = open("log.csv").read().splitlines()
print(json.dumps({
    "iterations": model.optimizer.iterations, "epochs": epochs, "lines": len(lines) - 1,
    "files": sorted(os.listdir()),
}))
"""


def interrupted(folder, times):
    """Run the child in this folder; return what it found."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, HERE, str(times)], cwd=folder, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr
    return json.loads(child.stdout)


def test_interrupts_at_any_time_leave_everything_whole(tmp_path):
    found = interrupted(tmp_path, 25)
    assert found["files"] == ["best.hdf5", "log.csv", "weights.npz"]
    assert found["lines"] == sum(found["epochs"])
    assert found["iterations"] >= 8 * sum(found["epochs"]) > 0


def test_steps_are_whole(tmp_path):
    """The interrupted weights are those of a training of so many steps."""
    steps = interrupted(tmp_path, 1)["iterations"]
    x, y = images(64)
    model = compiled()
    for step in range(steps):
        at = step * 8 % 64
        model.train_on_batch(x[at : at + 8], y[at : at + 8])
    with np.load(tmp_path / "weights.npz") as saved:
        for wanted, got in zip(model.get_weights(), saved.values(), strict=True):
            np.testing.assert_array_equal(wanted, got)


TRAIN = """
import sys
sys.path.insert(0, sys.argv[1])
from networks import images, small_cnn
model = small_cnn()
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(*images(400), epochs=2, steps_per_epoch=10**8)
"""


def test_control_c_on_a_terminal(tmp_path):
    parent, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    child = subprocess.Popen(
        [sys.executable, "-c", TRAIN, HERE], cwd=tmp_path,
        stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    shown, deadline, sent = b"", time.monotonic() + 30, False
    try:
        while time.monotonic() < deadline and child.poll() is None:
            if select.select([parent], [], [], 0.1)[0]:
                shown += os.read(parent, 65536)
            if not sent and shown.count(b"images/s") >= 3:
                os.write(parent, b"\x03")
                sent = True
        assert child.wait(5) in (-signal.SIGINT, 128 + signal.SIGINT, 1)
        while select.select([parent], [], [], 0.1)[0]:
            shown += os.read(parent, 65536)
        assert termios.tcgetattr(terminal) == before
    finally:
        child.kill()
        os.close(terminal)
        os.close(parent)
    text = shown.decode()
    assert text.rstrip().endswith("KeyboardInterrupt")
    # The bar's line is ended before the traceback begins, and colours are switched off.
    bar, _ = text.split("Traceback", 1)
    assert bar.endswith("\r\n")
    assert bar.rfind("\x1b[0m") > max(bar.rfind("\x1b[1m"), bar.rfind("\x1b[32m"))
    assert "\x1b[?25l" not in text
