"""``keras.regularizers``: those of ``pyconv.regularizers``, and Keras 1's names of them."""

from typing import Any

from pyconv import regularizers
from pyconv.compat import _unsupported

__all__ = sorted([*regularizers.__all__, "activity_l1", "activity_l2", "l1l2"])


def l1l2(l1: float = 0.01, l2: float = 0.01) -> Any:
    """Return ``L1L2(l1, l2)``, which Keras 1 called so.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> type(keras.regularizers.l1l2(0.1, 0.2)).__name__
        'L1L2'
    """
    return regularizers.L1L2(l1, l2)


activity_l1 = regularizers.L1
activity_l2 = regularizers.L2
__getattr__ = _unsupported.getter(__name__, regularizers)
