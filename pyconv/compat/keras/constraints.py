"""``keras.constraints``: those of ``pyconv.constraints``."""

from pyconv import constraints
from pyconv.compat import _unsupported

__all__ = constraints.__all__
__getattr__ = _unsupported.getter(__name__, constraints)
