"""Softmax over the last axis and its gradient."""

from pyconv import backend
from pyconv._types import Array
from pyconv.ops._checks import float32


def softmax(x: Array) -> Array:
    """Return exp(x) / sum(exp(x)) over the last axis.

    Args:
        x: (..., classes).

    Source: Bridle, "Probabilistic interpretation of feedforward classification network outputs",
        1990.

    Raises:
        TypeError: x is not a float32 array.
        ValueError: the last axis is empty.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.ops.softmax(np.zeros((1, 2), "float32"))
        array([[0.5, 0.5]], dtype=float32)
    """
    return backend.functional.softmax_forward(float32("softmax", "x", x))


def softmax_backward(y: Array, dy: Array) -> Array:
    """Return y (dy - sum(y dy)), the gradient of ``softmax``'s input.

    Args:
        y: what ``softmax`` returned, (..., classes).
        dy: gradient of y, of the same shape.

    Source: Bridle, "Probabilistic interpretation of feedforward classification network outputs",
        1990.

    Raises:
        TypeError: an array is not float32.
        ValueError: shapes differ.

    Example:
        >>> import numpy as np, pyconv
        >>> y, dy = np.array([[0.5, 0.5]], "float32"), np.array([[1, 0]], "float32")
        >>> pyconv.ops.softmax_backward(y, dy)
        array([[ 0.25, -0.25]], dtype=float32)
    """
    owner = "softmax_backward"
    return backend.functional.softmax_backward(float32(owner, "y", y), float32(owner, "dy", dy))
