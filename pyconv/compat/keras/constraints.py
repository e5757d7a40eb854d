"""``keras.constraints``: those of ``pyconv.constraints``, and Keras 1's names of them."""

from typing import Any

from pyconv import constraints
from pyconv.compat import _unsupported

__all__ = sorted([*constraints.__all__, "maxnorm", "nonneg", "unitnorm"])


def maxnorm(m: float = 2, axis: Any = 0) -> Any:
    """Return ``MaxNorm(m, axis)``, which Keras 1 called so.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.constraints.maxnorm(m=3).max_value
        3
    """
    return constraints.MaxNorm(m, axis)


nonneg = constraints.NonNeg
unitnorm = constraints.UnitNorm
__getattr__ = _unsupported.getter(__name__, constraints)
