"""``keras.ops``, of which pyconv has none: each name says so."""

from pyconv.compat import _unsupported

__all__: list[str] = []
__getattr__ = _unsupported.getter(__name__)
