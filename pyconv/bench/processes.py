"""The parent's side of the workers: start, ask, pause, end."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing import Pipe
from typing import Any

from pyconv.bench.peers import UnsupportedError

# Freed memory stays with the process: else large results cost page faults at every call, and
# the allocator is measured in place of the kernels.
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
}
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "KERAS_BACKEND": "jax",
}
# ONNX Runtime has no switch; XLA's holds its own code, and not the kernels that it links (on an
# AVX-512 CPU its direct convolutions pass the peak of AVX2).
WITHOUT_SWITCH = ("onnxruntime", "keras")
# What holds a peer to an instruction set.
_ISA = {
    "avx2": {
        "PYCONV_ISA": "avx2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
        "OPENCV_CPU_DISABLE": "AVX512-SKX",
        "OPENCV_IPP": "avx2",
    },
    "baseline": {
        "PYCONV_ISA": "baseline",
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "DNNL_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
        "OPENCV_CPU_DISABLE": "AVX,FP16,AVX2,AVX512-SKX",
        "OPENCV_IPP": "sse42",
    },
    "avx512": {"PYCONV_ISA": "avx512"},
    "neon": {"PYCONV_ISA": "neon"},
}


# The worker takes this pyconv, not what may lie in the current folder.
_PROGRAM = f"""
import sys
sys.path = [{os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))!r}] + [
    folder for folder in sys.path if folder
]
from pyconv.bench.worker import main
main()
"""


class WorkerError(ChildProcessError):
    """The worker could not do what it was asked for."""


class WorkerDied(WorkerError):  # noqa: N818 - it says what happened
    """The worker's process is gone."""


def environment(
    isa: str | None, threads: int, keep_memory: bool, device: str = "cpu", precision: str = ""
) -> dict[str, str]:
    """Return the variables of a worker's process."""
    limits: Mapping[str, str] = _ISA.get(isa or "", {})
    place = {"PYCONV_DEVICE": device, "PYCONV_BENCH_PRECISION": precision}
    counts = {"OMP_NUM_THREADS": str(threads), "PYCONV_NUM_THREADS": str(threads)}
    kept = _KEEP_MEMORY if keep_memory else {}
    return {**os.environ, **_ENVIRONMENT, **kept, **counts, **place, **limits}


class Process:
    """A peer in its process. Outside of a request it is stopped: idle threads cost nothing.

    Args:
        name: a peer of ``pyconv.bench.peers.NAMES``.
        threads: how many it may use.
        isa: the instruction set to hold it to, or None.
        label: what results call it; by default ``name``.
        keep_memory: whether the allocator keeps freed memory for the process.
        device: what it is to run on.
        precision: of products of float32 on a GPU.

    Raises:
        WorkerError: the peer's library is missing or does not start.
    """

    def __init__(
        self,
        name: str,
        threads: int,
        isa: str | None = None,
        label: str = "",
        keep_memory: bool = True,
        device: str = "cpu",
        precision: str = "",
    ) -> None:
        self.name = label or name
        self.threads = threads
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._pipe, child = Pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, name, str(threads), str(child.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=environment(isa, threads, keep_memory, device, precision),
            pass_fds=[child.fileno()],
            # Ctrl-C reaches the parent alone, which ends the workers.
            start_new_session=True,
        )
        child.close()
        try:
            self.version: str = self._answer(180.0)
        except BaseException:
            self.close()
            raise
        self._pause()

    def ask(self, method: str, *arguments: Any, timeout: float = 180.0) -> Any:
        """Return what ``Worker.method`` returns.

        Raises:
            UnsupportedError: the peer cannot do the case.
            WorkerDied: the process is gone, or did not answer in time.
            WorkerError: the method failed.
        """
        self._process.send_signal(signal.SIGCONT)
        try:
            self._pipe.send((method, arguments))
            return self._answer(timeout)
        except BrokenPipeError:
            raise WorkerDied(self._last_words()) from None
        finally:
            if self.alive:
                self._pause()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return not self.closed and self._process.poll() is None

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._pipe.closed

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()
        self._log.close()

    def _answer(self, timeout: float) -> Any:
        try:
            answered = self._pipe.poll(timeout)
            status, value = self._pipe.recv() if answered else ("", None)
        except (EOFError, OSError):
            raise WorkerDied(self._last_words()) from None
        if not answered:
            raise WorkerDied(f"{self.name}: no answer within {timeout:.0f} s")
        if status == "unsupported":
            raise UnsupportedError(value)
        if status == "error":
            raise WorkerError(f"{self.name}: {str(value).strip().splitlines()[0]}")
        return value

    def _pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def _last_words(self) -> str:
        code = self._process.wait(10)
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        said = f": {lines[-1]}" if lines else ""
        return f"{self.name}: the process ended with status {code}{said}"
