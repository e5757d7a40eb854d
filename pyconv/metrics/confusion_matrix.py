"""How often each class is taken for each."""

from typing import Any

import numpy as np

from pyconv import _targets
from pyconv._args import int_arg
from pyconv.metrics._sums import Sums


class ConfusionMatrix(Sums):
    """How often each class was taken for each: rows are the labels, columns the predictions.

    Not of Keras.

    Args:
        num_classes: number of classes; None for that of the predictions.
        name, dtype: see ``Metric``.

    Raises:
        TypeError: ``num_classes`` is not an integer.
        ValueError: ``dtype`` is not supported, or labels and predictions do not fit.

    Example:
        >>> import pyconv
        >>> matrix = pyconv.metrics.ConfusionMatrix()
        >>> matrix([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """

    _names = ("matrix",)

    def __init__(
        self,
        num_classes: int | None = None,
        name: str | None = "confusion_matrix",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.num_classes = (
            None if num_classes is None else int_arg("ConfusionMatrix", "num_classes", num_classes)
        )
        if self.num_classes is not None:
            self._make_sums((self.num_classes, self.num_classes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up class numbers (N, ...) or one-hot labels (N, ..., C), and predictions."""
        p = _targets.numeric("ConfusionMatrix", "y_pred", y_pred)
        y = _targets.numeric("ConfusionMatrix", "y_true", y_true)
        if p.ndim < 2:
            raise ValueError(f"ConfusionMatrix: y_pred must have shape (N, ..., C), got {p.shape}")
        if y.shape == p.shape:
            y = y.argmax(axis=-1)
        classes = p.shape[-1]
        if not self.variables:
            self._make_sums((classes, classes))
        known = len(self._sums()[0])
        if known != classes:
            raise ValueError(f"ConfusionMatrix: y_pred must have {known} classes, got {classes}")
        labels = _targets.class_numbers("ConfusionMatrix", y, p.shape)
        weight = np.ones(labels.shape)
        if sample_weight is not None:
            given = _targets.sample_weights("ConfusionMatrix", sample_weight, labels.shape)
            weight = np.broadcast_to(given, labels.shape)
        cells = labels.reshape(-1) * classes + p.argmax(axis=-1).reshape(-1)
        found = np.bincount(cells, weight.reshape(-1), classes**2)
        self._add([found.reshape(classes, classes)])

    def result(self) -> Any:
        """Return the matrix (C, C)."""
        matrix = self._sums()[0] if self.variables else np.zeros((0, 0))
        return matrix.astype(np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "num_classes": self.num_classes}
