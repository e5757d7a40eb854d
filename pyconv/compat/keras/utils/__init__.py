"""``keras.utils``: labels, seeds, and batches by number."""

from pyconv import utils
from pyconv.compat import _unsupported
from pyconv.compat.keras.utils import np_utils

__all__ = [*utils.__all__, "np_utils"]
__getattr__ = _unsupported.getter(__name__, utils)
