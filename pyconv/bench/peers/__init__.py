"""The libraries that are measured, one module each, imported in a worker process alone."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from pyconv._types import Array
from pyconv.bench.cases import Case

MEASURED = ("torch", "onnxruntime", "openvino", "keras", "opencv")
ON_GPU = ("torch",)
# float64 is not measured, it is the truth.
NAMES = ("pyconv", *MEASURED, "float64")


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


Variants = dict[str, Callable[[], Variant]]


class Peer(Protocol):
    """What each module's class ``Peer`` is; it is made with the number of threads."""

    version: str

    def variants(self, case: Case) -> Variants:
        """Return what makes each way to run the case, by its name; the fastest one counts.

        Raises:
            UnsupportedError: there is none.
        """


def load(name: str, threads: int) -> Peer:
    """Return a peer that runs on so many threads.

    Raises:
        ImportError: its library is not installed.
    """
    peer: Peer = import_module(f"pyconv.bench.peers.{name}_peer").Peer(threads)
    return peer
