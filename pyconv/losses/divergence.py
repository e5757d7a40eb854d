"""How far a row is from another: divergence and angle."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.losses._axis import AxisLoss
from pyconv.losses._elements import Pair, SumLoss, of_rows
from pyconv.losses.categorical_crossentropy import EPSILON


class KLDivergence(SumLoss):
    """``sum(y_true * log(y_true / y_pred))`` of each row, both kept in [1e-7, 1].

    Args:
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]):.4f}"
        '0.1438'
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def _rows(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        y, kept = np.clip(y, EPSILON, 1), np.clip(p, EPSILON, 1)
        rows = (y * np.log(y / kept)).sum(axis=-1)
        return rows, np.where(p == kept, -y / kept, 0.0)


class CosineSimilarity(AxisLoss):
    """Minus the cosine of the angle between two rows: -1 where they agree, 0 for zeros.

    Args:
        axis: the axis of the rows.
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.CosineSimilarity()([[0.0, 1.0]], [[1.0, 1.0]]):.4f}"
        '-0.7071'
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(axis, reduction, name, dtype)

    def _last_axis(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None
    ) -> tuple[Array, Array]:
        y, _ = _unit(y_true.astype(np.float64))
        q, inverse = _unit(y_pred.astype(np.float64))
        cosine = (y * q).sum(axis=-1, keepdims=True)
        return of_rows((-cosine[..., 0], (cosine * q - y) * inverse), row_scale, out)


def kl_divergence(y_true: Any, y_pred: Any) -> Array:
    """Kullback-Leibler divergence of each row; see ``KLDivergence``.

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
        >>> rows = pyconv.losses.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])
        >>> [f"{value:.4f}" for value in rows]
        ['0.1438']
    """
    return KLDivergence().unreduced(y_true, y_pred)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Array:
    """Minus the cosine similarity of each row; see ``CosineSimilarity``.

    Args:
        y_true: (N, ..., C) targets.
        y_pred: (N, ..., C) predictions.
        axis: the axis of the rows.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a target is not finite.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.cosine_similarity([[0.0, 1.0]], [[1.0, 1.0]])
        >>> [f"{value:.4f}" for value in rows]
        ['-0.7071']
    """
    return CosineSimilarity(axis).unreduced(y_true, y_pred)


def _unit(x: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (rows of length 1, what they were multiplied by); rows of zeros stay."""
    length = np.sqrt((x * x).sum(axis=-1, keepdims=True))
    inverse = 1 / np.maximum(length, EPSILON)
    return x * inverse, inverse
