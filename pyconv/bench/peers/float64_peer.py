"""The exact results, from numpy in float64, in a process of its own as its BLAS has threads."""

import numpy as np

from pyconv._types import Array
from pyconv.bench import reference
from pyconv.bench.cases import Case
from pyconv.bench.peers import Variant, Variants


class Peer:
    """See ``pyconv.bench.peers.Peer``; it is not measured."""

    def __init__(self, threads: int) -> None:
        self.version = np.__version__

    def variants(self, case: Case) -> Variants:
        """Return the reference."""
        results: list[Array] = reference.exact(case)  # type: ignore[assignment]
        return {"": lambda: Variant(lambda: None, lambda: results)}
