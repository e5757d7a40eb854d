"""``keras.regularizers``: those of ``pyconv.regularizers``, and Keras 1's names of them."""

import math
from typing import Any

import numpy as np

from pyconv import regularizers
from pyconv.compat import _unsupported
from pyconv.compat._autodiff import Taped, pull_back, watched

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


def _gradient(penalty: Any, x: Any) -> Any:
    """Return the gradient of a penalty of the user's own, from the functions that it calls."""
    array = watched(np.asarray(x, np.float32))
    value = penalty(array)
    if not isinstance(value, Taped) or value.node is None:
        raise NotImplementedError(
            f"{type(penalty).__name__} must define gradient(x), so that training can lower it: it "
            f"returns a plain {type(value).__name__}, not what functions of keras.ops, tf or numpy "
            "made of x"
        )
    ones = np.ones(value.shape, np.float32)
    gradients: dict[Any, Any] = pull_back(value.node, ones)
    return gradients.get(array.node, np.zeros(array.shape, np.float32))


regularizers.derive_with(_gradient)
activity_l1 = regularizers.L1
ActivityRegularizer = WeightRegularizer = regularizers.L1L2  # of Keras 1
activity_l2 = regularizers.L2
__getattr__ = _unsupported.getter(__name__, regularizers)
