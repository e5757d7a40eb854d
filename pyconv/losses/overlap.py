"""Losses of how far two masks overlap, for segmentation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._args import float_arg, int_arg
from pyconv._types import Array
from pyconv.losses.categorical_crossentropy import EPSILON
from pyconv.losses.loss import Loss, filled, same_rank


class Tversky(Loss):
    """``1 - i / (i + alpha * a + beta * b)`` (Salehi et al., 2017).

    ``i`` is the sum of ``y_true * y_pred``, ``a`` that of ``y_true * (1 - y_pred)`` and ``b`` that
    of ``(1 - y_true) * y_pred``, over ``axis``.

    Args:
        alpha: weight of what is missing in the prediction.
        beta: weight of what is too much in it.
        reduction, name: see ``Loss``.
        axis: the axes of a sum; None for all, of the whole batch.
        dtype: see ``Loss``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.Tversky()([[1.0, 0.0]], [[0.75, 0.25]]):.4f}"
        '0.2500'
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        owner = type(self).__name__
        self.alpha = float_arg(owner, "alpha", alpha)
        self.beta = float_arg(owner, "beta", beta)
        given = axis if isinstance(axis, (list, tuple)) else [axis]
        self.axis = (
            None if axis is None else tuple(int_arg(owner, "axis", one, -32, 31) for one in given)
        )

    def call(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> Any:
        """Return the loss of each sum."""
        if y_true.shape != y_pred.shape:
            raise ValueError(
                f"{type(self).__name__}: y_true and y_pred must have the same shape, got "
                f"{y_true.shape} and {y_pred.shape}"
            )
        return 1 - self._share(y_true, y_pred, keepdims=False)[0]

    def _share(self, y: NDArray[Any], p: NDArray[Any], keepdims: bool = True) -> tuple[Any, Any]:
        """Return (the overlap's share, what it is divided by)."""
        if self.axis is not None and not all(-p.ndim <= axis < p.ndim for axis in self.axis):
            raise ValueError(
                f"{type(self).__name__}: axis must be axes of the output, {p.shape}, got "
                f"{self.axis}"
            )
        wide = y.astype(np.float64), p.astype(np.float64)

        def total(values: NDArray[Any]) -> Any:
            return values.sum(axis=self.axis, keepdims=keepdims)

        both = total(wide[0] * wide[1])
        missing, extra = total(wide[0]) - both, total(wide[1]) - both
        whole = both + self.alpha * missing + self.beta * extra + EPSILON
        return both / whole, whole

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        y, p = same_rank(np.asarray(y_true, np.float32), y_pred)
        axes = None if self.axis is None else np.mod(self.axis, p.ndim)
        if axes is not None and (0 in axes or p.ndim - 1 not in axes):
            return super().call_with_gradient(y_true, y_pred, row_scale, out)
        share, whole = self._share(y, p)
        rest = 1 - self.alpha - self.beta
        slope = (share * (y * rest + self.beta) - y) / whole
        # Each row has the loss of the sum that it is in.
        scale = row_scale[..., None].astype(np.float64).sum(axis=self.axis, keepdims=True)
        if self.reduction == "sum":
            scale = scale / np.prod(row_scale.shape if axes is None else row_scale.shape[1:])
        return self.rows(y_true, y_pred), filled(out, y_pred.shape, slope * scale)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "beta": self.beta,
            "axis": self.axis,
        }


class Dice(Tversky):
    """``1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`` over ``axis``.

    Args:
        reduction, name: see ``Loss``.
        axis: the axes of a sum; None for all, of the whole batch.
        dtype: see ``Loss``.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.Dice()([[1.0, 0.0]], [[0.5, 0.5]]):.4f}"
        '0.5000'
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0.5, 0.5, reduction, name, axis, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**Loss.get_config(self), "axis": self.axis}


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """Dice's loss of each sum; see ``Dice``.

    Args:
        y_true: labels of any shape.
        y_pred: as many predictions.
        axis: the axes of a sum; None for all.

    Output shape:
        That of the labels without ``axis``.

    Raises:
        ValueError: shapes differ.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.dice([[1.0, 0.0]], [[0.5, 0.5]]):.4f}"
        '0.5000'
    """
    return Dice(axis=axis).call(*_arrays("dice", y_true, y_pred))


def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Any:
    """Tversky's loss of each sum; see ``Tversky``.

    Args:
        y_true: labels of any shape.
        y_pred: as many predictions.
        alpha, beta, axis: see the class.

    Output shape:
        That of the labels without ``axis``.

    Raises:
        ValueError: shapes differ.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.tversky([[1.0, 0.0]], [[0.75, 0.25]]):.4f}"
        '0.2500'
    """
    return Tversky(alpha, beta, axis=axis).call(*_arrays("tversky", y_true, y_pred))


def _arrays(owner: str, y_true: Any, y_pred: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    return same_rank(
        _targets.numeric(owner, "y_true", y_true), _targets.numeric(owner, "y_pred", y_pred)
    )
