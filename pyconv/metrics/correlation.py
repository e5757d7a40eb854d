"""How well predictions rise and fall with the targets."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._args import int_arg
from pyconv._types import Array
from pyconv.losses.loss import same_rank
from pyconv.metrics.reduction import MeanMetricWrapper


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Array:
    """Pearson's correlation of targets and predictions along an axis.

    Args:
        y_true: targets, (N, ..., C).
        y_pred: predictions of that shape.
        axis: the axis.

    Output shape:
        That of the arrays without the axis, float32; NaN where one of the two is constant.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: the shapes differ, or have no such axis.

    Example:
        >>> import pyconv
        >>> r = pyconv.metrics.pearson_correlation([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.5]])
        >>> f"{r[0]:.4f}"
        '1.0000'
    """
    y, p = _pair("pearson_correlation", y_true, y_pred, axis)
    y = y - y.mean(axis=axis, keepdims=True)
    p = p - p.mean(axis=axis, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = (y * p).mean(axis=axis) / (y.std(axis=axis) * p.std(axis=axis))
    return np.asarray(result, np.float32)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Array:
    """Lin's concordance correlation along an axis: 1 only where predictions equal the targets.

    Args:
        y_true: targets, (N, ..., C).
        y_pred: predictions of that shape.
        axis: the axis.

    Output shape:
        That of the arrays without the axis, float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: the shapes differ, or have no such axis.

    Example:
        >>> import pyconv
        >>> r = pyconv.metrics.concordance_correlation([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.5]])
        >>> f"{r[0]:.4f}"
        '0.9756'
    """
    y, p = _pair("concordance_correlation", y_true, y_pred, axis)
    y_mean, p_mean = y.mean(axis=axis), p.mean(axis=axis)
    covariance = (y * p).mean(axis=axis) - y_mean * p_mean
    scale = y.var(axis=axis) + p.var(axis=axis) + (y_mean - p_mean) ** 2
    return np.asarray(2 * covariance / (scale + 1e-7), np.float32)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of ``pearson_correlation`` over all rows.

    Args:
        name, dtype: see ``Metric``.
        axis: the axis along which rows lie.

    Raises:
        TypeError: ``axis`` is not an integer.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.PearsonCorrelation()([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.5]]):.4f}"
        '1.0000'
    """

    _direction = "up"

    def __init__(
        self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        self.axis = int_arg("PearsonCorrelation", "axis", axis, -32, 31)
        super().__init__(pearson_correlation, name, dtype, axis=self.axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of ``concordance_correlation`` over all rows.

    Args:
        name, dtype: see ``Metric``.
        axis: the axis along which rows lie.

    Raises:
        TypeError: ``axis`` is not an integer.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.ConcordanceCorrelation()([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.5]]):.4f}"
        '0.9756'
    """

    _direction = "up"

    def __init__(
        self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        self.axis = int_arg("ConcordanceCorrelation", "axis", axis, -32, 31)
        super().__init__(concordance_correlation, name, dtype, axis=self.axis)


def _pair(owner: str, y_true: Any, y_pred: Any, axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    y, p = same_rank(
        _targets.numeric(owner, "y_true", y_true).astype(np.float64),
        _targets.numeric(owner, "y_pred", y_pred).astype(np.float64),
    )
    axis = int_arg(owner, "axis", axis, -32, 31)
    if y.shape != p.shape or not -y.ndim <= axis < y.ndim:
        raise ValueError(
            f"{owner}: y_true and y_pred must have one shape, with an axis {axis}, got "
            f"{np.shape(y_true)} and {np.shape(y_pred)}"
        )
    return y, p
