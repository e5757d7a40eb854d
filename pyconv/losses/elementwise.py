"""Losses that are the mean, over the last axis, of a loss of each element."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import bool_arg, float_arg
from pyconv._types import Array
from pyconv.losses._axis import AxisLoss
from pyconv.losses._elements import of_elements, smoothed
from pyconv.losses.categorical_crossentropy import EPSILON, MOST
from pyconv.losses.loss import RowLoss


class MeanSquaredError(RowLoss):
    """``mean((y_true - y_pred)**2)`` over the last axis.

    Args:
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.losses.MeanSquaredError()([[0.0, 2.0]], [[0.0, 0.0]])
        2.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> Array:
        """Return the loss of each row."""
        return _mean_square(np.subtract(y_pred, y_true, dtype=np.float32))

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        difference = np.subtract(y_pred, y_true, out=out, dtype=np.float32)
        rows = _mean_square(difference)
        difference *= (row_scale * np.float32(2 / y_pred.shape[-1]))[..., None]
        return rows, difference


class MeanAbsoluteError(RowLoss):
    """``mean(abs(y_true - y_pred))`` over the last axis; the gradient at 0 is 0.

    Args:
        reduction, name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.losses.MeanAbsoluteError()([[0.0, 2.0]], [[0.0, 0.0]])
        1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> Array:
        """Return the loss of each row."""
        difference = np.subtract(y_pred, y_true, dtype=np.float32)
        return _mean(np.abs(difference))

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        difference = np.subtract(y_pred, y_true, out=out, dtype=np.float32)
        rows = _mean(np.abs(difference))
        np.sign(difference, out=difference)
        difference *= (row_scale / np.float32(y_pred.shape[-1]))[..., None]
        return rows, difference


class BinaryCrossentropy(AxisLoss):
    """``-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))`` over the last axis.

    Probabilities are kept in [1e-7, 1 - 1e-7].

    Args:
        from_logits: whether ``y_pred`` holds logits rather than probabilities.
        label_smoothing: a in [0, 1]; labels become ``y * (1 - a) + a / 2``.
        axis: the axis of the mean.
        reduction, name, dtype: see ``Loss``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> round(pyconv.losses.BinaryCrossentropy()([[0.0], [1.0]], [[0.5], [0.5]]), 4)
        0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(axis, reduction, name, dtype)
        owner = type(self).__name__
        self.from_logits = bool_arg(type(self).__name__, "from_logits", from_logits)
        self.label_smoothing = float_arg(owner, "label_smoothing", label_smoothing, 0.0, 1.0)

    def _last_axis(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None
    ) -> tuple[Array, Array]:
        y = smoothed(y_true.astype(np.float64), self.label_smoothing, 2)
        z = y_pred.astype(np.float64)
        if self.from_logits:
            # log(1 + exp(-|z|)) does not overflow (Keras's and TensorFlow's form).
            rest = np.exp(-np.abs(z))
            elements = np.maximum(z, 0) - z * y + np.log1p(rest)
            slope = np.where(z >= 0, 1 / (1 + rest), rest / (1 + rest)) - y
        else:
            p = np.clip(z, EPSILON, MOST)
            elements = -(y * np.log(p) + (1 - y) * np.log1p(-p))
            slope = np.where(z == p, (p - y) / (p * (1 - p)), 0.0)
        return of_elements((elements, slope), row_scale, out)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
        }


def _mean(elements: NDArray[Any]) -> Array:
    return np.asarray(elements.mean(axis=-1, dtype=np.float64), np.float32)


def _mean_square(difference: Array) -> Array:
    total = np.einsum("...i,...i->...", difference, difference, dtype=np.float64)
    # A loss beyond float32 is infinite, which shows; numpy need not warn as well.
    with np.errstate(over="ignore"):
        return np.asarray(total / difference.shape[-1], np.float32)
