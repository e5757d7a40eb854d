"""``keras.preprocessing.image``: those of ``pyconv.preprocessing.image``."""

from pyconv.compat import _unsupported
from pyconv.preprocessing import image

__all__ = image.__all__
__getattr__ = _unsupported.getter(__name__, image)
