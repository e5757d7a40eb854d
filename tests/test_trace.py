"""Traces: what a file holds, that it is whole however the block ends, and nothing when off."""

import itertools
import json
import os
import signal
import threading
from collections import Counter

import numpy as np
import pytest
from processes import run

import pyconv
from pyconv import _spans, backend, ops
from pyconv.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D

KEPT = 2**16 - 1


def network():
    model = pyconv.Sequential(
        [
            Input((8, 8, 3)),
            Conv2D(5, 3, activation="relu", name="c"),
            MaxPooling2D(2, name="p"),
            Flatten(name="f"),
            Dense(4, activation="softmax", name="d"),
        ]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def data(rows=24):
    rng = np.random.default_rng(0)
    return rng.random((rows, 8, 8, 3), np.float32), rng.integers(0, 4, rows)


def read(path):
    """Return the complete events, and names of threads by id; times in whole nanoseconds."""
    with open(path, encoding="utf-8") as file:
        written = json.load(file)
    events, threads = [], {}
    for event in written["traceEvents"]:
        assert event["pid"] == os.getpid()
        if event["ph"] == "M":
            if event["name"] == "thread_name":
                threads[event["tid"]] = event["args"]["name"]
            continue
        assert event["ph"] == "X"
        begin, length = round(event["ts"] * 1000), round(event["dur"] * 1000)
        assert begin >= 0
        assert length >= 0
        events.append({**event, "begin": begin, "end": begin + length})
    return events, threads


def within(events, outer):
    return [
        e
        for e in events
        if e["tid"] == outer["tid"]
        and e is not outer
        and outer["begin"] <= e["begin"]
        and e["end"] <= outer["end"]
    ]


def names(events, kind):
    return Counter(e["name"] for e in events if e["cat"] == kind)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "trace.json"


def test_training(path, threads):
    threads(3)
    model, (x, y) = network(), data()
    with pyconv.profile(path):
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, validation_data=(x[:8], y[:8]))
    events, by_id = read(path)

    assert sorted(by_id.values()) == ["MainThread", "worker 1", "worker 2"]
    assert {e["tid"] for e in events} == set(by_id)
    spans = names(events, "span")
    for name in ("step", "backward", "d backward", "c + p backward", "optimizer"):
        assert spans[name] == 6
    for name in ("batch", "forward", "c + p forward", "d forward", "loss", "metrics"):
        assert spans[name] == 8
    assert spans["epoch 1"] == spans["epoch 2"] == 1
    assert spans["validation"] == spans["test step"] == spans["callbacks"] == 2

    step = next(e for e in events if e["name"] == "step")
    inside = within(events, step)
    order = [e["name"] for e in sorted(inside, key=lambda e: e["begin"]) if e["cat"] == "span"]
    assert order == [
        *("forward", "c + p forward", "f forward", "d forward", "loss", "metrics"),
        *("backward", "d backward", "f backward", "c + p backward", "optimizer"),
    ]
    forward = next(e for e in inside if e["name"] == "c + p forward")
    [operation] = [e for e in within(events, forward) if e["cat"] == "operation"]
    assert operation["name"] == "conv2d_maxpool2d_forward"
    x, w, y, winners = [8, 8, 8, 3], [3, 3, 3, 5], [8, 3, 3, 5], [8, 3, 3, 5]
    assert operation["args"]["shapes"] == [x, w, y, winners]
    assert operation["args"]["bytes"] == 4 * sum(map(np.prod, [x, w, y, winners, [5]]))


def test_events_of_a_thread_nest(path, threads):
    threads(2)
    model, (x, y) = network(), data(200)
    with pyconv.profile(path):
        model.fit(x, y, batch_size=4, verbose=0)
    events, by_id = read(path)
    for thread in by_id:
        own = sorted((e for e in events if e["tid"] == thread), key=lambda e: (e["ts"], -e["dur"]))
        assert len(own) > 100
        open_until = []
        for event in own:
            while open_until and open_until[-1] <= event["begin"]:
                open_until.pop()
            assert not open_until or event["end"] <= open_until[-1]
            open_until.append(event["end"])


def test_ranges_of_the_threads(path, threads):
    threads(4)
    x = np.ones((64, 40, 40, 4), "float32")
    ops.relu(x)
    with pyconv.profile(path):
        ops.max_pool2d(x, 2)
    events, by_id = read(path)
    ranges = [e for e in events if e["cat"] == "range"]
    assert {e["name"] for e in ranges} == {"maxpool2d_forward"}
    # A thread that is late leaves its part to the others.
    who = {by_id[e["tid"]] for e in ranges}
    assert who <= {"MainThread", "worker 1", "worker 2", "worker 3"}
    bounds = sorted((e["args"]["first"], e["args"]["end"]) for e in ranges)
    assert bounds[0][0] == 0
    assert all(a[1] == b[0] for a, b in itertools.pairwise(bounds))
    [operation] = [e for e in events if e["cat"] == "operation"]
    assert all(operation["begin"] <= e["begin"] <= e["end"] <= operation["end"] for e in ranges)
    assert "wait for workers" in names(within(events, operation), "wait")


def test_idle_workers_are_seen(path, threads):
    threads(2)
    x = np.ones((64, 40, 40, 4), "float32")
    with pyconv.profile(path):
        for _ in range(3):
            ops.relu(x)
            threading.Event().wait(0.02)
    events, by_id = read(path)
    waits = [e for e in events if by_id[e["tid"]] == "worker 1" and e["cat"] == "wait"]
    # Two pauses of 20 ms; on a busy machine it sleeps at other times too.
    assert sum(e["name"] == "asleep" and e["dur"] > 15_000 for e in waits) >= 2


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_the_file_is_whole_after_an_exception(error, path):
    path.write_text("old")

    def fail():
        ops.relu(np.ones(3, "float32"))
        raise error

    with pytest.raises(error), pyconv.profile(path):
        fail()
    events, _ = read(path)
    assert names(events, "operation") == {"relu_forward": 1}


def test_an_exception_within_a_layer(path):
    class Broken(pyconv.layers.Layer):
        def compute_output_shape(self, input_shape):
            return input_shape

        def forward(self, x, training):
            raise ZeroDivisionError

    model = pyconv.Sequential([Input((3,)), Dense(2, name="d"), Broken(name="b")])
    model.compile("sgd", "mse")
    with pytest.raises(ZeroDivisionError), pyconv.profile(path):
        model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    spans = names(read(path)[0], "span")
    assert spans["d forward"] == spans["b forward"] == spans["forward"] == spans["step"] == 1
    assert spans["backward"] == 0
    with pyconv.profile(path):
        pass
    assert read(path)[0] == []


def test_ctrl_c_while_training(path):
    model, (x, y) = network(), data(64)

    class Interrupt(pyconv.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), pyconv.profile(path):
        model.fit(x, y, batch_size=4, verbose=0, callbacks=[Interrupt()])
    spans = names(read(path)[0], "span")
    assert spans["step"] == spans["optimizer"] == 3
    assert spans["epoch 1"] == 1


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_file_that_cannot_be_written_leaves_the_old_one(step, path, monkeypatch):
    path.write_text("old")

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"), pyconv.profile(path):
        pass
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert os.listdir(path.parent) == [path.name]
    with pyconv.profile(path):
        pass
    read(path)


def test_death_in_the_middle(path):
    path.write_text("old")
    result = run(
        "import os, signal, pyconv",
        "os.replace = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)",
        f"with pyconv.profile({str(path)!r}): pass",
        check=False,
    )
    assert result.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


def test_off_means_no_events(path):
    def count():
        threads = range(len(backend.active.trace_threads()))
        return sum(len(backend.active.trace_events(i)) for i in threads)

    model, (x, y) = network(), data()
    with pyconv.profile(path):
        pass
    model.fit(x, y, verbose=0)
    assert not _spans.recorded()
    assert backend.active.trace_begin() == 0
    assert count() == 0
    with pyconv.profile(path):
        ops.relu(x)
    model.fit(x, y, verbose=0)
    assert len([e for e in read(path)[0] if e["cat"] in ("operation", "span")]) == 1
    assert count() == len(read(path)[0])


def test_threads_that_have_ended(path, threads):
    threads(2)
    x = np.ones((64, 40, 40, 4), "float32")
    with pyconv.profile(path):
        other = threading.Thread(target=lambda: ops.softmax(x))
        other.start()
        other.join()
        ops.relu(x)
        threads(3)
        ops.relu(x)
    events, by_id = read(path)
    assert sorted(n for n in by_id.values() if n.startswith("worker")) == [
        *("worker 1", "worker 1", "worker 2")
    ]
    [softmax] = [e for e in events if e["name"] == "softmax_forward" and e["cat"] == "operation"]
    assert by_id[softmax["tid"]] == f"thread {softmax['tid']}"
    relus = [e for e in events if e["name"] == "relu_forward"]
    ranges = [e for e in relus if e["cat"] == "range"]
    operations = [e for e in relus if e["cat"] == "operation"]
    assert len(operations) == 2
    assert {by_id[e["tid"]] for e in operations} == {"MainThread"}
    for operation in operations:
        own = [
            e for e in ranges
            if operation["begin"] <= e["begin"] <= operation["end"]
        ]  # fmt: skip
        assert sum(e["args"]["end"] - e["args"]["first"] for e in own) == max(
            e["args"]["end"] for e in own
        )
    with pyconv.profile(path):
        ops.relu(x)
    assert sorted(read(path)[1].values()) == ["MainThread", "worker 1", "worker 2"]


def test_a_forked_child(path, threads):
    threads(2)
    other = path.with_name("child.json")
    x = np.ones((64, 40, 40, 4), "float32")
    block = pyconv.profile(path)
    with block:
        ops.relu(x)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                ops.softmax(x)
                with pyconv.profile(other):
                    ops.max_pool2d(x, 2)
                block.__exit__(None, None, None)
                found, by_id = read(other)
                assert names(found, "operation") == {"maxpool2d_forward": 1}
                assert sorted(by_id.values()) == ["MainThread", "worker 1"]
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert not path.exists()
        assert other.exists()
        ops.relu(x)
    events, by_id = read(path)
    assert names(events, "operation") == {"relu_forward": 2}
    assert sorted(by_id.values()) == ["MainThread", "worker 1"]


def test_traces_do_not_nest(path):
    with pyconv.profile(path):
        with pytest.raises(RuntimeError, match="profile: a trace is being taken already"):
            pyconv.profile(path.with_name("other")).__enter__()
        with pytest.raises(RuntimeError, match="a trace is being taken already"):
            network().summary(profile=True, print_fn=str)
        ops.relu(np.ones(3, "float32"))
    assert names(read(path)[0], "operation")["relu_forward"] == 1
    assert os.listdir(path.parent) == [path.name]


def test_the_last_events_are_kept_and_the_lost_ones_counted(path):
    def record(name, times):
        for _ in range(times):
            with _spans.span(name):
                pass

    lost = pytest.warns(UserWarning, match=r"profile: the first 1,000 events are missing")
    with lost, pyconv.profile(path):
        record("first", 1000)
        record("last", KEPT)
    assert names(read(path)[0], "span") == {"last": KEPT}


@pytest.mark.parametrize("name", ['"quoted"\\', "é 卷积", "\n\x00", "\ud800", "[red]"])
def test_any_name_of_a_layer(name, path):
    model = pyconv.Sequential([Input((3,)), Dense(2, name=name)])
    with pyconv.profile(path):
        model.predict(np.ones((1, 3)), verbose=0)
    shown = name.encode(errors="backslashreplace").decode().replace("\0", "\\x00")
    spans = names(read(path)[0], "span")
    assert spans[f"{shown} forward"] == spans["predict step"] == 1


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (3, TypeError, "profile: filepath must be a str or a path, got 3"),
        (None, TypeError, "filepath must be a str or a path, got None"),
        ("/nowhere/trace.json", FileNotFoundError, "profile: there is no folder /nowhere"),
    ],
)
def test_wrong_paths(given, error, text):
    with pytest.raises(error, match=text):
        pyconv.profile(given)
