"""``keras.regularizers``: those of ``pyconv.regularizers``, and Keras 1's names of them."""

import math
from typing import Any

from pyconv import regularizers
from pyconv.compat import _unsupported

__all__ = sorted(
    [
        *regularizers.__all__,
        "ActivityRegularizer",
        "WeightRegularizer",
        "activity_l1",
        "activity_l2",
        "l1l2",
    ]
)


def l1l2(l1: float = 0.01, l2: float = 0.01) -> Any:
    """Return ``L1L2(l1, l2)``, which Keras 1 called so.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> type(keras.regularizers.l1l2(0.1, 0.2)).__name__
        'L1L2'
    """
    return regularizers.L1L2(l1, l2)


def validate_float_arg(value: Any, name: str) -> float:
    """Return the weight of a penalty as a float; ValueError where it is none.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.regularizers.validate_float_arg(1, "l1")
        1.0
    """
    if not isinstance(value, (float, int)) or not 0 <= value < math.inf:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. Received: "
            f"{name}={value!r:.60}"
        )
    return float(value)


activity_l1 = regularizers.L1
ActivityRegularizer = WeightRegularizer = regularizers.L1L2  # of Keras 1
activity_l2 = regularizers.L2
__getattr__ = _unsupported.getter(__name__, regularizers)
