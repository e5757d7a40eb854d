"""Hinge losses, for labels of -1 and 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.losses._elements import ElementLoss, Pair, SumLoss


class Hinge(ElementLoss):
    """``mean(max(1 - y_true * y_pred, 0))`` over the last axis; labels 0 and 1 become -1 and 1.

    Args:
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.Hinge()([[0.0, 1.0]], [[0.5, 0.5]]):.4f}"
        '1.0000'
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def _elements(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        signs = _signs(y)
        margin = np.maximum(1 - signs * p, 0)
        return margin, np.where(margin > 0, -signs, 0.0)


class SquaredHinge(ElementLoss):
    """``mean(max(1 - y_true * y_pred, 0)**2)`` over the last axis; labels 0 and 1 as for ``Hinge``.

    Args:
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.SquaredHinge()([[0.0, 1.0]], [[0.5, 0.5]]):.4f}"
        '1.2500'
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def _elements(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        signs = _signs(y)
        margin = np.maximum(1 - signs * p, 0)
        return margin**2, -2 * signs * margin


class CategoricalHinge(SumLoss):
    """``max(max((1 - y_true) * y_pred) - sum(y_true * y_pred) + 1, 0)`` of each row.

    Args:
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.CategoricalHinge()([[0.0, 1.0]], [[0.6, 0.4]]):.4f}"
        '1.2000'
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def _rows(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        others = (1 - y) * p
        rows = np.maximum(others.max(axis=-1) - (y * p).sum(axis=-1) + 1, 0)
        worst = others.argmax(axis=-1)[..., None]
        gradient = -y
        slope = 1 - np.take_along_axis(y, worst, axis=-1)
        slope += np.take_along_axis(gradient, worst, axis=-1)
        np.put_along_axis(gradient, worst, slope, axis=-1)
        return rows, np.where(rows[..., None] > 0, gradient, 0.0)


def hinge(y_true: Any, y_pred: Any) -> Array:
    """Hinge loss of each row; see ``Hinge``.

    Args:
        y_true: (N, ..., C) targets.
        y_pred: (N, ..., C) predictions.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a target is not finite.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.hinge([[0.0, 1.0]], [[0.5, 0.5]])
        >>> [f"{value:.4f}" for value in rows]
        ['1.0000']
    """
    return Hinge().unreduced(y_true, y_pred)


def squared_hinge(y_true: Any, y_pred: Any) -> Array:
    """Squared hinge loss of each row; see ``SquaredHinge``.

    Args:
        y_true: (N, ..., C) targets.
        y_pred: (N, ..., C) predictions.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a target is not finite.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.squared_hinge([[0.0, 1.0]], [[0.5, 0.5]])
        >>> [f"{value:.4f}" for value in rows]
        ['1.2500']
    """
    return SquaredHinge().unreduced(y_true, y_pred)


def categorical_hinge(y_true: Any, y_pred: Any) -> Array:
    """Categorical hinge loss of each row; see ``CategoricalHinge``.

    Args:
        y_true: (N, ..., C) targets.
        y_pred: (N, ..., C) predictions.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a target is not finite.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.categorical_hinge([[0.0, 1.0]], [[0.6, 0.4]])
        >>> [f"{value:.4f}" for value in rows]
        ['1.2000']
    """
    return CategoricalHinge().unreduced(y_true, y_pred)


def _signs(y: NDArray[Any]) -> NDArray[Any]:
    """Return labels as -1 and 1, where they are all 0 or 1."""
    return 2 * y - 1 if np.isin(y, (0, 1)).all() else y
