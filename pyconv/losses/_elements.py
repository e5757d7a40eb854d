"""The base of losses that are the mean, over the last axis, of a loss of each element."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.losses.loss import RowLoss

Pair = tuple[NDArray[Any], NDArray[Any]]


class ElementLoss(RowLoss):
    """A loss that is given by that of each element and its slope, in float64."""

    def _elements(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        """Return (loss of each element, its derivative by ``p``)."""
        raise NotImplementedError

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        elements, slope = self._elements(y_true.astype(np.float64), y_pred.astype(np.float64))
        grad = np.empty(y_pred.shape, np.float32) if out is None else out
        grad[...] = slope * (row_scale / np.float32(y_pred.shape[-1]))[..., None]
        return np.asarray(elements.mean(axis=-1), np.float32), grad


class SumLoss(RowLoss):
    """A loss that is given by that of each row and its gradient, in float64."""

    def _rows(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        """Return (loss of each row, its gradient by ``p``)."""
        raise NotImplementedError

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        rows, gradient = self._rows(y_true.astype(np.float64), y_pred.astype(np.float64))
        grad = np.empty(y_pred.shape, np.float32) if out is None else out
        grad[...] = gradient * row_scale[..., None]
        return np.asarray(rows, np.float32), grad
