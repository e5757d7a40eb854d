"""``keras.initializers``: those of ``pyconv.initializers``."""

from pyconv import initializers
from pyconv.compat import _unsupported

__all__ = initializers.__all__
__getattr__ = _unsupported.getter(__name__, initializers)
