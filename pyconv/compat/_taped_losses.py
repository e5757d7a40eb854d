"""Losses of arrays that remember how they were computed, and gradients of the user's own losses."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.compat._autodiff import Taped, made, pull_back, unwrapped, watched
from pyconv.losses.loss import Loss, RowLoss, filled, same_rank, with_own_mask


def taped_loss(loss: Any, y_true: Any, y_pred: Taped, sample_weight: Any) -> Any:
    """Return the reduced loss, by whose history its gradient can be taken."""
    p = np.ascontiguousarray(unwrapped(y_pred), np.float32)
    if not isinstance(loss, RowLoss):
        return _of_ones_own(loss, y_true, y_pred, sample_weight)
    labels, rows_of = np.asarray(unwrapped(y_true)), p
    if p.ndim == 1:
        column = labels.ndim == 2 and labels.shape[-1] == 1
        rows_of, labels = (p[:, None], labels) if column else (p[None], labels[None])
    checked = loss.check_targets(labels, rows_of.shape, type(loss).__name__)
    rows = loss.rows(checked, rows_of)
    mask = loss.row_mask(checked) if loss.masks else None
    mask = with_own_mask(type(loss).__name__, mask, y_pred, rows)
    scale = loss._scale_of(rows.shape, sample_weight, mask)
    weighted = rows * scale
    reduced = loss.reduction != "none"
    result = weighted.sum(dtype=np.float64).astype(np.float32) if reduced else weighted
    if p.ndim == 1 and not reduced and len(rows_of) == 1:
        result = result[0]

    def pull(dy: Any) -> Any:
        scaled = np.ascontiguousarray(scale * np.reshape(dy, () if reduced else scale.shape))
        return loss.call_with_gradient(checked, rows_of, scaled)[1].reshape(p.shape)

    return made(result, [(y_pred, pull)])


def _of_ones_own(loss: Any, y_true: Any, y_pred: Taped, sample_weight: Any) -> Any:
    labels = np.asarray(unwrapped(y_true), np.float32)
    values = loss.call(*same_rank(labels, y_pred))
    mask = with_own_mask(type(loss).__name__, None, y_pred, values)
    weighted = values * loss._scale_of(np.shape(values), sample_weight, mask)
    return weighted if loss.reduction == "none" else np.sum(weighted)


class Derived:
    """A loss of the user's own: its gradient follows from the functions that it calls.

    Where their derivatives are not known it is taken by differences.
    """

    def call_with_gradient(
        self: Any,
        y_true: NDArray[Any],
        y_pred: NDArray[Any],
        row_scale: NDArray[Any],
        out: NDArray[Any] | None = None,
    ) -> Any:
        """Return (loss of each row, scaled gradient)."""
        labels, p = np.asarray(y_true, np.float32), watched(y_pred)
        try:
            values = self.call(labels, p)
            gradient = pull_back(
                values.node, _of_values(np.shape(values), row_scale, self.reduction)
            )[p.node]  # type: ignore[index]
        except Exception:
            # Also where the loss takes no such array; an error of its own comes again.
            return Loss.call_with_gradient(self, y_true, y_pred, row_scale, out)
        return self.rows(y_true, y_pred), filled(out, y_pred.shape, gradient)


def _of_values(shape: tuple[int, ...], row_scale: NDArray[Any], reduction: str) -> NDArray[Any]:
    """Return the gradient of the scaled loss by the values of ``call``; see ``folded``."""
    rows = row_scale.shape
    if len(shape) >= len(rows):
        cells = math.prod(shape[len(rows) :])
        each = row_scale if reduction == "sum" else row_scale / np.float32(max(cells, 1))
        return np.broadcast_to(each.reshape(rows + (1,) * (len(shape) - len(rows))), shape)
    shared = rows[len(shape) :]
    total: NDArray[Any] = row_scale.sum(axis=tuple(range(len(shape), len(rows))))
    return total / np.float32(math.prod(shared)) if reduction == "sum" else total
