"""How much of the variance is explained."""

import warnings
from typing import Any

import numpy as np

from pyconv import _targets
from pyconv._args import int_arg, is_one_of
from pyconv._scalars import Number
from pyconv.losses.loss import same_rank
from pyconv.metrics._sums import Sums


class R2Score(Sums):
    """``1 - sum of squared errors / sum of squared deviations`` of each output.

    Args:
        class_aggregation: 'uniform_average', 'variance_weighted_average' or None for an array.
        num_regressors: number of predictors, for the adjusted score; 0 for the plain one.
        name, dtype: see ``Metric``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range, unknown or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.R2Score()([[1], [4], [3]], [[2], [4], [4]]):.4f}"
        '0.5714'
    """

    _direction = "up"
    _names = ("squared_sum", "sum", "total_mse", "count")

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        known = (None, "uniform_average", "variance_weighted_average")
        if not is_one_of(class_aggregation, known):
            raise ValueError(
                "R2Score: Invalid value for argument `class_aggregation`. Expected one of "
                f"{known}. Received: class_aggregation={class_aggregation}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = int_arg("R2Score", "num_regressors", num_regressors, -(2**31))
        if num_regressors < 0:
            raise ValueError(
                "R2Score: Invalid value for argument `num_regressors`. Expected a value >= 0. "
                f"Received: num_regressors={num_regressors}"
            )
        self.num_samples = self.add_variable((), "zeros", np.float64, "num_samples")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up a batch of (N, C) targets and predictions; see ``Metric.update_state``."""
        y, p = same_rank(
            _targets.numeric("R2Score", "y_true", y_true).astype(np.float64),
            _targets.numeric("R2Score", "y_pred", y_pred).astype(np.float64),
        )
        if p.ndim != 2 or y.shape != p.shape:
            raise ValueError(
                "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input "
                f"shapes: y_pred.shape={p.shape} and y_true.shape={y.shape}."
            )
        if not hasattr(self, "count"):
            self._make_sums(p.shape[1:])
        weight = np.ones(())
        if sample_weight is not None:
            weight = _targets.numeric("R2Score", "sample_weight", sample_weight).astype(np.float64)
            weight = weight[:, None] if weight.ndim == 1 else weight
        try:
            weights = np.broadcast_to(weight, y.shape)
        except ValueError:
            raise ValueError(
                f"R2Score: sample_weight must hold one number a sample, ({len(y)},), got "
                f"{np.shape(sample_weight)}"
            ) from None
        terms = (y * y * weights, y * weights, (y - p) ** 2 * weights, weights)
        self._add(elements.sum(axis=0) for elements in terms)
        self.num_samples += y.size

    def result(self) -> Any:
        """Return the score."""
        if not hasattr(self, "count"):
            return Number(0.0)
        squares, total, errors, count = self._sums()
        with np.errstate(divide="ignore", invalid="ignore"):
            deviations = squares - total * (total / count)
            scores = 1 - errors / deviations
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (deviations * scores).sum() / deviations.sum()
        scores = self._adjusted(scores)
        return Number(scores) if np.ndim(scores) == 0 else scores.astype(np.float32)

    def _adjusted(self, score: Any) -> Any:
        samples, predictors = float(self.num_samples), self.num_regressors
        if predictors == 0:
            return score
        if predictors > samples - 1:
            warnings.warn(
                "More independent predictors than datapoints in adjusted R2 score. Falling back to "
                "standard R2 score.",
                stacklevel=3,
            )
        elif predictors == samples - 1:
            warnings.warn(
                "Division by zero in Adjusted R2 score. Falling back to standard R2 score.",
                stacklevel=3,
            )
        else:
            return 1 - (1 - score) * (samples - 1) / (samples - predictors - 1)
        return score

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
