"""The libraries that are measured, one module each, imported in a worker process alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from pyconv._types import Array
from pyconv.bench.cases import Case

# Where each is; float64 is not measured, it is the truth.
PEERS: Mapping[str, str] = {
    "float64": "pyconv.bench.peers.float64_peer",
    "pyconv": "pyconv.bench.peers.pyconv_peer",
    "torch": "pyconv.bench.peers.torch_peer",
    "onnxruntime": "pyconv.bench.peers.onnxruntime_peer",
    "openvino": "pyconv.bench.peers.openvino_peer",
    "keras": "pyconv.bench.peers.keras_peer",
}


class UnsupportedError(Exception):
    """The peer cannot do this case."""


@dataclass(frozen=True)
class Variant:
    """One way to run a case.

    Args:
        run: does the work ``times`` times.
        result: what the work gives, in pyconv's layout, for comparison with the reference.
        times: how often ``run`` does the work.
    """

    run: Callable[[], object]
    result: Callable[[], list[Array]]
    times: int = 1


class Peer(Protocol):
    """What each module's class ``Peer`` is; it is made with the number of threads."""

    version: str

    def variants(self, case: Case) -> dict[str, Variant]:
        """Return the ways to run the case by name; the fastest one counts.

        Raises:
            UnsupportedError: there is none.
        """


def load(name: str, threads: int) -> Peer:
    """Return a peer that runs on so many threads.

    Raises:
        ImportError: its library is not installed.
    """
    peer: Peer = import_module(PEERS[name]).Peer(threads)
    return peer
