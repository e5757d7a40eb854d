"""F scores: the harmonic mean of precision and recall."""

from typing import Any

import numpy as np

from pyconv import _targets
from pyconv._args import is_one_of
from pyconv._scalars import Number
from pyconv.metrics._sums import Sums

_EPSILON = 1e-7
_LARGEST_BETA = 1e100  # its square is a number


class FBetaScore(Sums):
    """``(1 + beta**2) * precision * recall / (beta**2 * precision + recall)`` of each class.

    Args:
        average: None for the score of each class; 'micro' for that of all elements together;
            'macro' for the mean over the classes; 'weighted' for the mean by how often they are.
        beta: how much more recall counts, above 0.
        threshold: predictions above it are positive; None for the largest of each row.
        name, dtype: see ``Metric``.

    Raises:
        ValueError: an argument is out of range, unknown or not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.FBetaScore(average="macro", beta=2.0, threshold=0.5)
        >>> y_true, y_pred = [[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.3, 0.8], [0.6, 0.7]]
        >>> f"{metric(y_true, y_pred):.4f}"
        '0.6469'
    """

    _direction = "up"
    _names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        owner, kinds = type(self).__name__, (None, "micro", "macro", "weighted")
        if not is_one_of(average, kinds):
            raise ValueError(
                f"{owner}: Invalid `average` argument value. Expected one of: "
                f"{{None, 'micro', 'macro', 'weighted'}}. Received: average={average}"
            )
        if not isinstance(beta, float):
            raise ValueError(
                f"{owner}: Invalid `beta` argument value. It should be a Python float. Received: "
                f"beta={beta} of type '{type(beta)}'"
            )
        if not 0.0 < beta < _LARGEST_BETA:
            wanted = f"be below {_LARGEST_BETA:g}" if beta > 0.0 else "be > 0"
            raise ValueError(
                f"{owner}: Invalid `beta` argument value. It should {wanted}. Received: beta={beta}"
            )
        if threshold is not None and not isinstance(threshold, float):
            raise ValueError(
                f"{owner}: Invalid `threshold` argument value. It should be a Python float. "
                f"Received: threshold={threshold} of type '{type(threshold)}'"
            )
        if threshold is not None and not 0.0 < threshold <= 1.0:
            raise ValueError(
                f"{owner}: Invalid `threshold` argument value. It should verify 0 < threshold <= "
                f"1. Received: threshold={threshold}"
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up a batch of (N, C) labels and predictions; see ``Metric.update_state``."""
        owner = type(self).__name__
        y = _targets.numeric(owner, "y_true", y_true).astype(np.float32)
        p = _targets.numeric(owner, "y_pred", y_pred).astype(np.float32)
        self._build(y.shape, p.shape)
        if self.threshold is None:
            largest = p.max(axis=-1, keepdims=True, initial=-np.inf)
            positive = (p >= largest) & (np.abs(p) > 1e-9)
        else:
            positive = p > np.float32(self.threshold)
        weight: Any = np.ones((len(p), 1))
        if sample_weight is not None:
            weight = _targets.sample_weights(owner, sample_weight, p.shape[:1])[:, None]
        axis = None if self.average == "micro" else 0
        terms = (positive * y, positive * (1 - y), ~positive * y, y)
        self._add((elements * weight).sum(axis=axis) for elements in terms)

    def _build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        """Make the sums for batches of these shapes, at the first one."""
        shapes = f"y_pred.shape={y_pred_shape} and y_true.shape={y_true_shape}."
        expects = (
            f"{type(self).__name__}: FBetaScore expects 2D inputs with shape (batch_size, "
            "output_dim)"
        )
        if len(y_pred_shape) != 2 or tuple(y_true_shape) != tuple(y_pred_shape):
            raise ValueError(f"{expects}. Received input shapes: {shapes}")
        if None in y_pred_shape[1:]:
            raise ValueError(
                f"{expects}, with output_dim fully defined (not None). Received input shapes: "
                f"{shapes}"
            )
        if not self.variables:
            self._make_sums(() if self.average == "micro" else tuple(y_pred_shape[1:]))

    def result(self) -> Any:
        """Return the score; for ``average=None`` an array (C,)."""
        if not self.variables:
            return Number(0.0)
        hits, wrong, missed, weights = self._sums()
        precision = hits / (hits + wrong + _EPSILON)
        recall = hits / (hits + missed + _EPSILON)
        mean = precision * recall / (self.beta**2 * precision + recall + _EPSILON)
        score = mean * (1 + self.beta**2)
        if self.average == "weighted":
            return Number((score * weights / (weights.sum() + _EPSILON)).sum())
        return score.astype(np.float32) if self.average is None else Number(np.mean(score))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


class F1Score(FBetaScore):
    """``2 * precision * recall / (precision + recall)`` of each class.

    Args:
        average: None for the score of each class; 'micro' for that of all elements together;
            'macro' for the mean over the classes; 'weighted' for the mean by how often they are.
        threshold: predictions above it are positive; None for the largest of each row.
        name, dtype: see ``Metric``.

    Raises:
        ValueError: an argument is out of range, unknown or not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.F1Score(threshold=0.5)
        >>> scores = metric([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.3, 0.8], [0.6, 0.7]])
        >>> [f"{score:.4f}" for score in scores]
        ['0.5000', '0.8000']
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        del config["beta"]
        return config
