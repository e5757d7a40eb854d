"""Traces: what each thread did and when, for chrome://tracing and ui.perfetto.dev."""

import contextlib
import json
import os
import threading
import warnings
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from pyconv import _spans, backend
from pyconv._files import place, replacing

__all__ = ["profile"]


class profile:  # noqa: N801 - used as a function: `with pyconv.profile(path):`
    """Record what is done in a ``with`` block, and write it as a Chrome trace.

    Open the file in https://ui.perfetto.dev or chrome://tracing. It has a row for each thread. On
    that of your program: epochs, steps, their phases (batch, forward, loss, metrics, backward,
    optimizer), each layer by name, and the native operations with the shapes of their arrays. On
    those of the pool: which range of an operation each worker computed, and when it was idle
    (looking for work) or asleep.

    The file is written when the block ends, also by an exception or Ctrl-C, to a temporary name
    first. Of each thread the last 65,535 events are kept, about 400 steps of a small network; a
    warning says where earlier ones are missing. A forked child records and writes nothing.

    Args:
        path: the file, such as ``"trace.json"``.

    Raises:
        TypeError: ``path`` is not a path.
        FileNotFoundError: its folder does not exist.
        RuntimeError: a trace is being taken already.
        OSError: the file cannot be written.

    Example:
        >>> import json, os, tempfile
        >>> import numpy as np, pyconv
        >>> path = os.path.join(tempfile.mkdtemp(), "trace.json")
        >>> with pyconv.profile(path):
        ...     y = pyconv.ops.relu(np.ones((2, 3), "float32"))
        >>> with open(path) as file:
        ...     events = json.load(file)["traceEvents"]
        >>> [e["args"]["shapes"] for e in events if e["name"] == "relu_forward"]
        [[[2, 3], [2, 3]]]
    """

    def __init__(self, path: Any) -> None:
        self._path = place("profile", path)
        self._recording = Recording("profile")

    def __enter__(self) -> "profile":
        self._recording.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._recording.stopped() as threads:
            lost = 0
            if threads is None:
                return
            with replacing(self._path) as file:
                file.write(_beginning().encode())
                for number, (thread, name, missing) in enumerate(threads):
                    lost += missing
                    lines = _names(thread, name)
                    lines += _lines(thread, self._recording.events(number))
                    file.write("".join(f",\n{line}" for line in lines).encode())
                file.write(b"\n]}\n")
        if lost:
            warnings.warn(
                f"profile: the first {lost:,} events are missing from {self._path}: of each thread "
                "only the last 65,535 are kept",
                stacklevel=2,
            )


class Recording:
    """The use of the backend's recorder, of which there is one in a process.

    Args:
        owner: what errors call the user.
    """

    _in_use = threading.Lock()

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._pid = 0
        self._native = backend.active

    def start(self, operations: bool = True) -> None:
        """Begin a trace; without ``operations`` one of spans alone.

        Raises:
            RuntimeError: one is being taken already.
        """
        if not Recording._in_use.acquire(blocking=False):
            raise RuntimeError(f"{self._owner}: a trace is being taken already; they do not nest")
        self._pid = os.getpid()
        self._native = backend.active
        self._native.trace_start(operations)
        _spans.switch(True)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[list[tuple[int, str, int]] | None]:
        """End the trace; give its threads, whose events are there within the block.

        None in a child that was forked since ``start``: the trace is the parent's.
        """
        if os.getpid() != self._pid:
            yield None
            return
        _spans.switch(False)
        self._native.trace_stop()
        try:
            yield self._native.trace_threads()
        finally:
            Recording._in_use.release()

    def events(self, number: int) -> list[Any]:
        """Return the events of a thread, within the block of ``stopped``."""
        return self._native.trace_events(number)

    @classmethod
    def forget(cls) -> None:
        """Leave a trace that is being taken to the parent of this forked child."""
        cls._in_use = threading.Lock()
        _spans.switch(False)


os.register_at_fork(after_in_child=Recording.forget)


def _beginning() -> str:
    from pyconv import __version__
    from pyconv._devices import get_device

    about = {
        "pyconv": __version__,
        "device": get_device(),
        "isa": backend.cpu.isa(),
        "threads": backend.cpu.get_num_threads(),
    }
    process = {"name": "process_name", "ph": "M", "pid": os.getpid(), "args": {"name": "pyconv"}}
    return (
        f'{{"displayTimeUnit": "ms", "otherData": {json.dumps(about)}, "traceEvents": [\n'
        f"{json.dumps(process)}"
    )


def _names(thread: int, name: str) -> list[str]:
    """Return the events that name a thread, and sort the pool's threads below the others."""
    alive = {found.native_id: found.name for found in threading.enumerate()}
    alive[os.getpid()] = threading.main_thread().name  # a forked child's has its parent's id
    shown = name or alive.get(thread, f"thread {thread}")
    described = (
        ("thread_name", {"name": shown}),
        ("thread_sort_index", {"sort_index": int(bool(name))}),
    )
    return [
        json.dumps({"name": what, "ph": "M", "pid": os.getpid(), "tid": thread, "args": arguments})
        for what, arguments in described
    ]


def _lines(thread: int, events: list[Any]) -> Iterator[str]:
    """Return complete events, those that contain others first."""
    pid = os.getpid()
    for kind, name, begin, end, moved, detail in sorted(events, key=lambda e: (e[2], -e[3])):
        details = ""
        if kind == "operation":
            shapes = json.dumps(detail)
            details = f', "args": {{"shapes": {shapes}, "bytes": {moved}}}'
        elif kind == "range":
            details = f', "args": {{"first": {detail[0]}, "end": {detail[1]}}}'
        yield (
            f'{{"name": {json.dumps(name)}, "cat": "{kind}", "ph": "X", "pid": {pid}, '
            f'"tid": {thread}, "ts": {begin / 1000:.3f}, "dur": {(end - begin) / 1000:.3f}'
            f"{details}}}"
        )
