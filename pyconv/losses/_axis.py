"""Losses over an axis of classes, the last one or another."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._args import int_arg
from pyconv._types import Array, Shape
from pyconv.losses.loss import RowLoss, filled


class AxisLoss(RowLoss):
    """A loss whose rows lie along ``axis``."""

    def __init__(self, axis: Any, reduction: str | None, name: str | None, dtype: Any) -> None:
        super().__init__(name, reduction, dtype)
        if isinstance(axis, bool) or not hasattr(axis, "__index__") or np.ndim(axis):
            raise ValueError(
                f"{type(self).__name__}: `axis` must be of type `int`. Received: axis={axis!r} of "
                f"type {type(axis).__name__}"
            )
        self.axis = int_arg(type(self).__name__, "axis", axis, -32, 31)

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return ``y`` checked to be of the output's shape."""
        self._require_axis(owner, output_shape)
        return _targets.values(owner, y, output_shape, one_hot=True)

    def rows_shape(self, output_shape: Shape) -> Any:
        """Return the output's shape without the axis."""
        at = self.axis % len(output_shape)
        return output_shape[:at] + output_shape[at + 1 :]

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        axis = self.axis
        if axis == -1 or axis == y_pred.ndim - 1:
            return self._last_axis(y_true, y_pred, row_scale, out)
        if y_true.ndim == y_pred.ndim:
            y_true = np.ascontiguousarray(np.moveaxis(y_true, axis, -1))
        moved = np.ascontiguousarray(np.moveaxis(y_pred, axis, -1))
        rows, gradient = self._last_axis(y_true, moved, row_scale, None)
        return rows, filled(out, y_pred.shape, np.moveaxis(gradient, -1, axis))

    def _last_axis(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient) for rows along the last axis."""
        raise NotImplementedError

    def _require_axis(self, owner: str, output_shape: Shape) -> None:
        if not -len(output_shape) <= self.axis < len(output_shape) or self.axis == 0:
            raise ValueError(
                f"{owner}: axis must be an axis of the output, {output_shape}, other than the "
                f"first, got {self.axis}"
            )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}
