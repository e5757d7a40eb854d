"""Losses of regression beside the squared and the absolute error."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import float_arg
from pyconv._types import Array
from pyconv.losses._elements import ElementLoss, Pair
from pyconv.losses.categorical_crossentropy import EPSILON


class MeanAbsolutePercentageError(ElementLoss):
    """``100 * mean(|y_true - y_pred| / |y_true|)`` over the last axis; divisors are at least 1e-7.

    Args:
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.MeanAbsolutePercentageError()([[1.0, 2.0]], [[2.0, 2.0]]):.4f}"
        '50.0000'
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def _elements(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        size = np.maximum(np.abs(y), EPSILON)
        return 100 * np.abs(y - p) / size, 100 * np.sign(p - y) / size


class MeanSquaredLogarithmicError(ElementLoss):
    """``mean((log(y_true + 1) - log(y_pred + 1))**2)``, of values that are at least 1e-7.

    Args:
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.MeanSquaredLogarithmicError()([[0.0, 1.0]], [[1.0, 1.0]]):.4f}"
        '0.2402'
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def _elements(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        kept = np.maximum(p, EPSILON)
        difference = np.log1p(kept) - np.log1p(np.maximum(y, EPSILON))
        return difference**2, np.where(p > EPSILON, 2 * difference / (kept + 1), 0.0)


class Huber(ElementLoss):
    """Squared where the error is small, linear where it is large (Huber, 1964).

    The mean, over the last axis, of ``0.5 * e**2`` where ``|e| <= delta``, else of
    ``delta * |e| - 0.5 * delta**2``.

    Args:
        delta: where it changes from squared to linear, 0 or more.
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.Huber()([[0.0, 0.0]], [[0.5, 2.0]]):.4f}"
        '0.8125'
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = float_arg("Huber", "delta", delta)

    def _elements(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        error, delta = p - y, self.delta
        size = np.abs(error)
        linear = delta * size - 0.5 * delta**2
        elements = np.where(size <= delta, 0.5 * error**2, linear)
        return elements, np.clip(error, -delta, delta)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), **({} if self.delta == 1.0 else {"delta": self.delta})}


class LogCosh(ElementLoss):
    """``mean(log(cosh(y_pred - y_true)))`` over the last axis.

    Args:
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.LogCosh()([[0.0, 1.0]], [[1.0, 1.0]]):.4f}"
        '0.2169'
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def _elements(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        error = p - y
        size = np.abs(error)
        return size + np.log1p(np.exp(-2 * size)) - np.log(2), np.tanh(error)


class Poisson(ElementLoss):
    """``mean(y_pred - y_true * log(y_pred + 1e-7))`` over the last axis.

    Args:
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.Poisson()([[1.0, 1.0]], [[1.0, 2.0]]):.4f}"
        '1.1534'
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def _elements(self, y: NDArray[Any], p: NDArray[Any]) -> Pair:
        with np.errstate(invalid="ignore", divide="ignore"):
            return p - y * np.log(p + EPSILON), 1 - y / (p + EPSILON)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Array:
    """Mean absolute percentage error of each row; see ``MeanAbsolutePercentageError``.

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
        >>> rows = pyconv.losses.mean_absolute_percentage_error([[1.0, 2.0]], [[2.0, 2.0]])
        >>> [f"{value:.4f}" for value in rows]
        ['50.0000']
    """
    return MeanAbsolutePercentageError().unreduced(y_true, y_pred)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Array:
    """Mean squared logarithmic error of each row; see ``MeanSquaredLogarithmicError``.

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
        >>> rows = pyconv.losses.mean_squared_logarithmic_error([[0.0, 1.0]], [[1.0, 1.0]])
        >>> [f"{value:.4f}" for value in rows]
        ['0.2402']
    """
    return MeanSquaredLogarithmicError().unreduced(y_true, y_pred)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Array:
    """Huber's loss of each row; see ``Huber``.

    Args:
        y_true: (N, ..., C) targets.
        y_pred: (N, ..., C) predictions.
        delta: where it changes from squared to linear.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a target is not finite.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.huber([[0.0, 0.0]], [[0.5, 2.0]])
        >>> [f"{value:.4f}" for value in rows]
        ['0.8125']
    """
    return Huber(delta).unreduced(y_true, y_pred)


def log_cosh(y_true: Any, y_pred: Any) -> Array:
    """Logarithm of the hyperbolic cosine of the error of each row; see ``LogCosh``.

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
        >>> rows = pyconv.losses.log_cosh([[0.0, 1.0]], [[1.0, 1.0]])
        >>> [f"{value:.4f}" for value in rows]
        ['0.2169']
    """
    return LogCosh().unreduced(y_true, y_pred)


def poisson(y_true: Any, y_pred: Any) -> Array:
    """Poisson's loss of each row; see ``Poisson``.

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
        >>> rows = pyconv.losses.poisson([[1.0, 1.0]], [[1.0, 2.0]])
        >>> [f"{value:.4f}" for value in rows]
        ['1.1534']
    """
    return Poisson().unreduced(y_true, y_pred)
