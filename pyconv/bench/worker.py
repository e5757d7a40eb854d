"""The process of a peer, which ``processes.Process`` starts.

Its arguments: the peer, the number of threads, the descriptor of the pipe.

Requests come over a pipe as (method, arguments); each is answered by ("ok", value),
("unsupported", text) or ("error", text).
"""

import signal
import sys
import traceback
from collections.abc import Callable
from math import prod
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from pyconv._types import Array
from pyconv.bench import limits, peers
from pyconv.bench.cases import Case, Train
from pyconv.bench.networks import CLASSES

# Calls shorter than this are timed several at a time.
SHORTEST = 100e-6


class Worker:
    """Carries out what the parent asks."""

    def __init__(self, peer: peers.Peer) -> None:
        self._peer = peer
        self._variant: peers.Variant | None = None
        self._calls = 1
        # A device works on after a call has returned.
        self._finish: Callable[[], None] = getattr(peer, "synchronize", lambda: None)

    def version(self) -> str:
        """Version and setting of the library."""
        return self._peer.version

    def prepare(self, case: Case, only: str | None) -> str:
        """Take the fastest variant of a case, or the named one; return its name."""
        self._variant = None
        best, seconds = "", float("inf")
        for name, make in self._makers(case, only).items():
            variant = make()
            variant.run()
            self._finish()
            times: list[float] = []
            while len(times) < 3 and sum(times) < 0.1:
                start = perf_counter()
                variant.run()
                self._finish()
                times.append(perf_counter() - start)
            if min(times) < seconds:
                best, seconds = name, min(times)
                self._variant = variant
        self._calls = max(1, round(SHORTEST / max(seconds, 1e-9)))
        return best

    def memory(self, case: Train, only: str | None) -> int:
        """Train for two epochs; return the peak of the process's memory without the data set."""
        variant = next(iter(self._makers(case, only).values()))()
        variant.run()
        variant.run()
        x, y = case.x_shape, (case.x_shape[0], CLASSES)
        return peak_memory() - 4 * (prod(x) + prod(y))

    def limits(self) -> limits.Limits:
        """What the machine can do."""
        return limits.measured()

    def result(self) -> list[Array]:
        """What the prepared case gives."""
        assert self._variant is not None
        return self._variant.result()

    def time(self, seconds: float, least: int) -> list[float]:
        """Run the prepared case again and again for so long; return the seconds of each run."""
        assert self._variant is not None
        run, calls = self._variant.run, self._calls
        run()  # brings back what the other processes pushed out of the caches
        self._finish()
        times: list[float] = []
        end = perf_counter() + seconds
        while len(times) < least or perf_counter() < end:
            start = perf_counter()
            for _ in range(calls):
                run()
            self._finish()
            times.append((perf_counter() - start) / (calls * self._variant.times))
        return times

    def release(self) -> None:
        """Forget the prepared case and its arrays."""
        self._variant = None

    def _makers(self, case: Case, only: str | None) -> peers.Variants:
        makers = self._peer.variants(case)
        return makers if only is None or only not in makers else {only: makers[only]}


def peak_memory() -> int:
    """Return the most bytes of memory that the process has held at a time."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def serve(connection: Connection, worker: Worker) -> None:
    """Answer requests until the parent closes the pipe."""
    while True:
        try:
            method, arguments = connection.recv()
        except EOFError:
            return
        answer: tuple[str, Any]
        try:
            answer = ("ok", getattr(worker, method)(*arguments))
        except peers.UnsupportedError as error:
            answer = ("unsupported", str(error))
        except Exception as error:
            answer = ("error", "".join(traceback.format_exception_only(error)))
        connection.send(answer)


def end_with_parent() -> None:
    """Have the system end this process when its parent is gone, also while it is stopped."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def main() -> None:
    """Serve one peer, as ``sys.argv`` says."""
    end_with_parent()
    connection = Connection(int(sys.argv[3]))
    try:
        worker = Worker(peers.load(sys.argv[1], int(sys.argv[2])))
    except Exception as error:
        connection.send(("error", f"{type(error).__name__}: {error}"))
        return
    connection.send(("ok", worker.version()))
    serve(connection, worker)
