"""The bases of losses that are given, in float64, by elements or rows and their slopes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.losses.loss import RowLoss, filled

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
        pair = self._elements(y_true.astype(np.float64), y_pred.astype(np.float64))
        return of_elements(pair, row_scale, out)


class SumLoss(RowLoss):
    """A loss that is given by that of each row and its gradient, in float64."""

    def _rows(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        """Return (loss of each row, its gradient by ``p``)."""
        raise NotImplementedError

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        pair = self._rows(y_true.astype(np.float64), y_pred.astype(np.float64))
        return of_rows(pair, row_scale, out)


def of_elements(pair: Pair, row_scale: Array, out: Array | None) -> tuple[Array, Array]:
    """Return (mean of each row, scaled gradient) of elements and their slopes."""
    elements, slope = pair
    scale = row_scale / np.float32(elements.shape[-1])
    return of_rows((elements.mean(axis=-1), slope), scale, out)


def of_rows(pair: Pair, row_scale: Array, out: Array | None) -> tuple[Array, Array]:
    """Return (loss of each row, scaled gradient) of rows and their gradients."""
    rows, gradient = pair
    grad = filled(out, gradient.shape, gradient * row_scale[..., None])
    return np.asarray(rows, np.float32), grad


def smoothed(y: NDArray[Any], amount: float, classes: int) -> NDArray[Any]:
    """Return labels, ``amount`` of which is spread over the classes."""
    return y * (1 - amount) + amount / classes if amount else y
