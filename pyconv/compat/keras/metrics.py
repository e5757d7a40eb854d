"""``keras.metrics``: those of ``pyconv.metrics``."""

from pyconv import metrics
from pyconv.compat import _unsupported

__all__ = metrics.__all__
__getattr__ = _unsupported.getter(__name__, metrics)
