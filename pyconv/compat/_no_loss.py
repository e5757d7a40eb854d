"""What stands for the loss of a model whose steps have one of their own."""

from typing import Any

import numpy as np

from pyconv.losses.loss import Loss
from pyconv.metrics.metric import Metric
from pyconv.objective import Objective


class NoLoss(Loss):
    """Stands for the loss of a model whose steps have one of their own."""

    def check_targets(self, y: Any, output_shape: Any, owner: str) -> Any:
        """Return the targets, whatever they are."""
        array = np.asarray(y)
        return array if array.dtype.kind != "f" else array.astype(np.float32, copy=False)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return zeros."""
        return np.zeros(len(y_pred), np.float32)

    def call_with_gradient(
        self, y_true: Any, y_pred: Any, row_scale: Any, out: Any = None
    ) -> tuple[Any, Any]:
        """Return zeros twice."""
        gradient = np.empty(np.shape(y_pred), np.float32) if out is None else out
        gradient[...] = 0
        return np.zeros(self.rows_shape(np.shape(y_pred)), np.float32), gradient


class LossTracker(Metric):
    """The mean loss of a model, as a metric."""

    def __init__(self, objective: Objective) -> None:
        super().__init__(name="loss")
        self._objective = objective

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take up a batch's loss, with the number of its rows as weight."""
        samples = 1 if sample_weight is None else np.sum(sample_weight)
        self._objective.add_loss(float(np.mean(values)), samples)

    def result(self) -> Any:
        """Return the mean loss so far."""
        return self._objective.mean_loss()

    def reset_state(self) -> None:
        """Forget the batches so far."""
        self._objective.forget_loss()
