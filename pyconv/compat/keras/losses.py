"""``keras.losses``: those of ``pyconv.losses``."""

from pyconv import losses
from pyconv.compat import _unsupported

__all__ = losses.__all__
__getattr__ = _unsupported.getter(__name__, losses)
