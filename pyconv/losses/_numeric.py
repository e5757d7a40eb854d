"""Losses of the user's own: their values row by row, and gradients by central differences."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array

if TYPE_CHECKING:
    from pyconv.losses.loss import Loss

# A loss that gives one number for the batch is called twice for each value of the output.
MOST_VALUES = 1 << 14


def folded(owner: str, values: Any, output_shape: tuple[int, ...], reduction: str) -> Any:
    """Return a loss's values as one of each row of the output.

    Values of the cells of a row are averaged (or summed, where the batch is); the rows of a sample
    share its value, and one number for the batch is that of each row.
    """
    array = np.asarray(values)
    if array.dtype != np.float64:
        array = array.astype(np.float32)
    rows = output_shape[:-1]
    if array.shape == rows:
        return array
    if array.ndim < len(rows) and array.shape == rows[: array.ndim]:
        shared = rows[array.ndim :]
        each = array / np.prod(shared) if reduction == "sum" else array
        return np.broadcast_to(each.reshape(array.shape + (1,) * len(shared)), rows)
    if array.shape[0] != output_shape[0] or (
        array.ndim < len(rows) or array.shape[: len(rows)] != rows
    ):
        raise ValueError(
            f"{owner}: the loss must return one number a sample, shape {rows}, for an output of "
            f"shape {output_shape}, got {array.shape}"
        )
    cells = array.reshape(*rows, -1)
    return cells.sum(axis=-1) if reduction == "sum" else cells.mean(axis=-1)


def differences(loss: "Loss", y_true: Array, y_pred: Array, row_scale: Array) -> NDArray[Any]:
    """Return the gradient of the scaled losses by ``y_pred``, by central differences.

    The loss is called with ``y_pred`` in float64. Of samples whose losses are told apart, one
    value of each is varied at a time; the truncation is about 1e-10 of the curvature. A loss that
    computes in float32 all the same is varied by more, and is exact to about 1e-4.
    """
    owner = type(loss).__name__
    p: NDArray[Any] = y_pred.astype(np.float64)
    values = np.asarray(loss.call(y_true, p))
    apart = values.ndim > 0
    if not apart and p.size > MOST_VALUES:
        raise ValueError(
            f"{owner}: a loss that returns one number for the batch is trained with up to "
            f"{MOST_VALUES} outputs a batch, got {p.shape}; return one number a sample, or define "
            "call_with_gradient"
        )
    relative = 1e-5 if values.dtype == np.float64 else 1e-2
    flat = p.reshape(len(p), -1)
    gradient = np.empty(flat.shape)
    groups = [(slice(None), i) for i in range(flat.shape[1])] if apart else np.ndindex(*flat.shape)
    for where in groups:
        kept = np.array(flat[where])
        step = relative * np.maximum(1.0, np.abs(kept))
        sides = []
        for sign in (1.0, -1.0):
            flat[where] = kept + sign * step
            rows = folded(owner, loss.call(y_true, p), p.shape, loss.reduction)
            sides.append(np.multiply(rows, row_scale, dtype=np.float64))
        flat[where] = kept
        change = sides[0] - sides[1]
        total = change.reshape(len(p), -1).sum(axis=1) if apart else change.sum()
        gradient[where] = total / (2 * step)
    return gradient.reshape(p.shape)
