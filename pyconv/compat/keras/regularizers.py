"""``keras.regularizers``: those of ``pyconv.regularizers``."""

from pyconv import regularizers
from pyconv.compat import _unsupported

__all__ = regularizers.__all__
__getattr__ = _unsupported.getter(__name__, regularizers)
