"""The base of every loss: reduction, and what the training loop asks of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._types import Array, Shape

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


class Loss:
    """A loss of each row and its gradient, reduced over the batch.

    A row is what the last axis of the network's output holds: a sample, or, for an output of
    more than two axes, one cell of it. A loss of one's own has a ``call`` and, to be trained
    with, a ``call_with_gradient``.

    Args:
        name: the loss's name.
        reduction: 'sum_over_batch_size' (or 'mean': divided by the number of rows, whatever the
            weights), 'sum', 'mean_with_sample_weight' (divided by the sum of the weights), or
            'none' (or None: the loss of each row; not to be trained with).
        dtype: None or 'float32'.

    Raises:
        ValueError: an argument is not one of these.

    Example:
        >>> import pyconv
        >>> loss = pyconv.losses.MeanSquaredError()
        >>> loss([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]])
        0.5
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        owner = type(self).__name__
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"{owner}: reduction must be one of {', '.join(map(str, REDUCTIONS))}, got "
                f"{reduction!r}"
            )
        if dtype is not None and dtype != "float32":
            raise ValueError(f"{owner}: dtype must be None or 'float32', got {dtype!r}")
        self.name = name if name is not None else owner
        self.reduction = reduction if reduction is not None else "none"

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float | Array:
        """Return the reduced loss, or the loss of each row where ``reduction`` is 'none'.

        Args:
            y_true: targets.
            y_pred: the network's output (N, ..., C).
            sample_weight: one number for all, one a sample (N,), or one a row.
        """
        owner = type(self).__name__
        predicted = prediction(owner, y_pred)
        rows = self.call(self.check_targets(y_true, predicted.shape, owner), predicted)
        weight: Array | None = None
        if sample_weight is not None:
            if np.ndim(sample_weight) == 0:
                sample_weight = np.broadcast_to(sample_weight, rows.shape[:1])
            weight = _targets.sample_weights(owner, sample_weight, rows.shape)
        scale = self.row_scale(rows.shape, weight)
        weighted = np.multiply(rows, scale, dtype=np.float64)
        return weighted.astype(np.float32) if self.reduction == "none" else float(weighted.sum())

    def call(self, y_true: NDArray[Any], y_pred: Array) -> Array:
        """Return the loss of each row: the shape of ``y_pred`` without its last axis."""
        raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, its gradient by ``y_pred`` times the row's ``row_scale``)."""
        raise NotImplementedError(
            f"{type(self).__name__} must define call_with_gradient(y_true, y_pred, row_scale, "
            "out=None) to be trained with"
        )

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return ``y`` checked against the output's shape, in the form that ``call`` takes.

        Raises:
            TypeError: ``y`` does not hold numbers.
            ValueError: its shape or a value of it is wrong.
        """
        return _targets.values(owner, y, output_shape)

    def on_logits(self) -> "Loss | None":
        """Return the loss that takes logits where this one takes their softmax, if there is one."""
        return None

    def row_scale(self, shape: tuple[int, ...], weight: Array | None) -> Array:
        """Return the factor, float32 of ``shape``, of each row's loss in the reduced loss."""
        scale = np.ones(shape, np.float32)
        if weight is not None:
            scale *= weight
        if self.reduction in ("sum_over_batch_size", "mean"):
            scale /= max(scale.size, 1)
        elif self.reduction == "mean_with_sample_weight":
            total = float(scale.sum(dtype=np.float64))
            scale *= 1.0 / total if total else 0.0
        return scale

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Loss":
        """Make a loss from what ``get_config`` gave."""
        return cls(**config)


def prediction(owner: str, y_pred: Any) -> Array:
    """Return ``y_pred`` as float32 (N, ..., C); (N,) is taken for (N, 1)."""
    array = _targets.numeric(owner, "y_pred", y_pred).astype(np.float32, copy=False)
    if array.ndim == 0:
        raise ValueError(f"{owner}: y_pred must have shape (N, ..., C), got ()")
    return array[:, None] if array.ndim == 1 else array
