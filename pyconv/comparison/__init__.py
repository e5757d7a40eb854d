"""Networks trained on the same data, side by side: the course's task, MLP against CNN."""

from pyconv.comparison.result import Comparison, Entry
from pyconv.comparison.run import compare

__all__ = ["Comparison", "Entry", "compare"]
