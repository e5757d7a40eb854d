"""Models: ``Sequential`` and ``load_model``."""

from pyconv.model import Sequential
from pyconv.saving import load_model

__all__ = ["Sequential", "load_model"]
