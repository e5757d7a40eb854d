"""``keras.metrics``: those of ``pyconv.metrics``."""

from pyconv import metrics
from pyconv.compat import _unsupported
from pyconv.compat.keras import losses

__all__ = metrics.__all__
# Keras has losses here, too.
__getattr__ = _unsupported.getter(__name__, metrics, losses)
