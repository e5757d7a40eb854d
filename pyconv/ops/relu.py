"""ReLU and its gradient."""

from pyconv import backend
from pyconv._types import Array
from pyconv.ops._checks import float32


def relu(x: Array) -> Array:
    """Return max(x, 0), of any shape; NaN stays NaN.

    Args:
        x: of any shape.

    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.

    Raises:
        TypeError: x is not a float32 array.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.ops.relu(np.array([-1, 2], "float32"))
        array([0., 2.], dtype=float32)
    """
    return backend.functional.relu_forward(float32("relu", "x", x))


def relu_backward(y: Array, dy: Array) -> Array:
    """Return dy where y > 0, else 0.

    Args:
        y: what ``relu`` returned (or what it was given).
        dy: gradient of y, of the same shape.

    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.

    Raises:
        TypeError: an array is not float32.
        ValueError: shapes differ.

    Example:
        >>> import numpy as np, pyconv
        >>> y, dy = np.array([0, 2], "float32"), np.array([5, 5], "float32")
        >>> pyconv.ops.relu_backward(y, dy)
        array([0., 5.], dtype=float32)
    """
    owner = "relu_backward"
    return backend.functional.relu_backward(float32(owner, "y", y), float32(owner, "dy", dy))
