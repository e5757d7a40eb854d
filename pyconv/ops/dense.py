"""Dense layer and its gradients."""

from pyconv import backend
from pyconv._args import activation_arg
from pyconv._types import Array
from pyconv.ops._checks import float32


def dense(x: Array, w: Array, b: Array | None = None, *, activation: str | None = None) -> Array:
    """Return x w + b, (N, units).

    Args:
        x: inputs (N, in).
        w: weights (in, units).
        b: bias (units,), or None.
        activation: None or "relu".

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors",
        1986.

    Raises:
        TypeError: an array is not float32.
        ValueError: shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> x, w = np.ones((1, 3), "float32"), np.ones((3, 2), "float32")
        >>> pyconv.ops.dense(x, w)
        array([[3., 3.]], dtype=float32)
    """
    x, w = float32("dense", "x", x, 2), float32("dense", "w", w, 2)
    if b is not None:
        b = float32("dense", "b", b, 1)
    return backend.functional.dense_forward(x, w, b, activation_arg("dense", activation))


def dense_backward(x: Array, w: Array, dy: Array) -> tuple[Array, Array, Array]:
    """Return the gradients (dx, dw, db) of ``dense`` without activation.

    Args:
        x: inputs (N, in).
        w: weights (in, units).
        dy: gradient of the result (N, units).

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors",
        1986.

    Raises:
        TypeError: an array is not float32.
        ValueError: shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> x, w, dy = (np.ones(s, "float32") for s in ((1, 3), (3, 2), (1, 2)))
        >>> [g.shape for g in pyconv.ops.dense_backward(x, w, dy)]
        [(1, 3), (3, 2), (2,)]
    """
    owner = "dense_backward"
    x, w, dy = float32(owner, "x", x, 2), float32(owner, "w", w, 2), float32(owner, "dy", dy, 2)
    if x.shape != (dy.shape[0], w.shape[0]):
        raise ValueError(f"{owner}: x must be {(dy.shape[0], w.shape[0])}, got {x.shape}")
    return (
        backend.functional.dense_backward_input(dy, w),
        backend.functional.dense_backward_weights(x, dy),
        backend.functional.bias_backward(dy),
    )
