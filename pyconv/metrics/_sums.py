"""The base of metrics that are made of several sums."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.metrics.metric import Metric


class Sums(Metric):
    """A metric that keeps sums, each a float64 variable and an attribute."""

    _names: tuple[str, ...] = ()

    def _make_sums(self, shape: tuple[int, ...]) -> None:
        for name in self._names:
            setattr(self, name, self.add_variable(shape, "zeros", np.float64, name))

    def _add(self, terms: Iterable[Any]) -> None:
        """Add a batch's terms, in the order of the names."""
        for name, term in zip(self._names, terms, strict=True):
            variable = getattr(self, name)
            variable += term

    def _sums(self) -> list[NDArray[Any]]:
        return [np.asarray(getattr(self, name)) for name in self._names]
