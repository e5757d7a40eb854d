"""The cross-entropy that fits the labels: what ``compile(loss="crossentropy")`` means."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._types import Array, Shape
from pyconv.losses.categorical_crossentropy import (
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from pyconv.losses.elementwise import BinaryCrossentropy
from pyconv.losses.loss import Loss, RowLoss


class Crossentropy(RowLoss):
    """Binary cross-entropy of outputs (N, ..., 1), categorical of others, sparse of class numbers.

    Which it is, the first targets tell.

    Raises:
        ValueError: targets do not fit the output.

    Example:
        >>> import pyconv
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(3, "softmax")])
        >>> model.compile("sgd", "crossentropy")
    """

    def __init__(self) -> None:
        super().__init__("crossentropy")
        self._chosen: Loss | None = None

    @property
    def chosen(self) -> Loss:
        """The loss that fits; ValueError before there were targets."""
        if self._chosen is None:
            raise ValueError("crossentropy: which one it is, is not known before there are targets")
        return self._chosen

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Choose, and return ``y`` as that loss takes it."""
        targets = _targets.numeric(owner, "y", y)
        if self._chosen is None:
            self._chosen = fitting(targets.shape, output_shape)()
        return self._chosen.check_targets(targets, output_shape, owner)

    def rows_shape(self, output_shape: Shape) -> Any:
        """Return the shape of the losses of rows."""
        return self.chosen.rows_shape(output_shape)

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        return self.chosen.call_with_gradient(np.asarray(y_true), y_pred, row_scale, out)

    def on_logits(self) -> Loss | None:
        """Return the loss that takes logits, once that is known."""
        return None if self._chosen is None else self._chosen.on_logits()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the loss that fits."""
        return self.chosen.get_config()


def fitting(
    y_shape: tuple[int, ...], output_shape: Shape
) -> type[BinaryCrossentropy | CategoricalCrossentropy | SparseCategoricalCrossentropy]:
    """Return the class of the loss that fits labels and an output."""
    if output_shape[-1] == 1:
        return BinaryCrossentropy
    if len(y_shape) < len(output_shape) or y_shape[-1] == 1:
        return SparseCategoricalCrossentropy
    return CategoricalCrossentropy
