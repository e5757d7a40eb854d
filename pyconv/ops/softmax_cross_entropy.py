"""Cross-entropy of a softmax, and its gradient, in one pass."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._types import Array
from pyconv.ops._checks import float32


def softmax_cross_entropy(logits: Array, labels: Any) -> tuple[Array, Array]:
    """Return the loss of each row (N,), and the gradient of each row's loss (N, C).

    Args:
        logits: (N, C), before the softmax.
        labels: class numbers, integers (N,) or (N, 1), or float32 probabilities (N, C).

    Source: Bridle, "Probabilistic interpretation of feedforward classification network outputs",
        1990.

    Raises:
        TypeError: logits are not float32, or labels neither integers nor float32.
        ValueError: shapes do not fit, a class number is outside 0 to C - 1, or a probability is
            negative or not finite.

    Example:
        >>> import numpy as np, pyconv
        >>> loss, grad = pyconv.ops.softmax_cross_entropy(
        ...     np.zeros((1, 2), "float32"), np.array([0])
        ... )
        >>> round(loss.item(), 4), grad.tolist()
        (0.6931, [[-0.5, 0.5]])
    """
    owner = "softmax_cross_entropy"
    logits = float32(owner, "logits", logits, 2)
    n, c = logits.shape
    if c == 0:
        raise ValueError(f"{owner}: logits must have at least one class, got {logits.shape}")
    if isinstance(labels, np.ndarray) or backend.is_here(labels):
        labels = np.asarray(labels)  # the array itself, whatever a subclass says of it
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iuf":
        got = labels.dtype if isinstance(labels, np.ndarray) else type(labels).__name__
        raise TypeError(
            f"{owner}: labels must be an array of integers or of float32 probabilities, got "
            f"{got!s:.60}; convert it with np.asarray"
        )
    if labels.dtype.kind == "f":
        shares = float32(owner, "labels", labels, 2)
        if shares.shape == (n, c) and not ((shares >= 0) & (shares < np.inf)).all():
            raise ValueError(f"{owner}: labels must be probabilities, got a negative or NaN")
        return backend.functional.softmax_cross_entropy(logits, shares)
    if labels.shape not in ((n,), (n, 1)):
        raise ValueError(f"{owner}: labels must be ({n},) or ({n}, 1), got {labels.shape}")
    if labels.size and int(labels.max()) >= c:  # int64 would turn a large unsigned one negative
        raise ValueError(f"{owner}: labels must be from 0 to {c - 1}, got {labels.max()}")
    return backend.functional.softmax_cross_entropy(logits, labels.reshape(-1).astype(np.int64))
