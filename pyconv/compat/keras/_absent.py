"""Modules of Keras of which pyconv has nothing: their names are stand-ins."""

from pyconv.compat import _unsupported

__all__: list[str] = []
__getattr__ = _unsupported.getter("pyconv.compat.keras")
