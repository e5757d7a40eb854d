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

    Raises:
        TypeError: logits are not float32, or labels neither integers nor float32.
        ValueError: shapes do not fit, or a class number is outside 0 to C - 1.

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
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iu":
        if labels.shape not in ((len(logits),), (len(logits), 1)):
            raise ValueError(
                f"{owner}: labels must be ({len(logits)},) or ({len(logits)}, 1), got "
                f"{labels.shape}"
            )
        if labels.size and int(labels.max()) >= logits.shape[1]:
            raise ValueError(
                f"{owner}: labels must be from 0 to {logits.shape[1] - 1}, got {labels.max()}"
            )
        return backend.active.softmax_cross_entropy(logits, labels.reshape(-1).astype(np.int64))
    return backend.active.softmax_cross_entropy(logits, float32(owner, "labels", labels, 2))
