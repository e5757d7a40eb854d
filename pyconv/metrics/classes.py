"""The metrics that are the mean of a function of each row."""

from typing import Any

import numpy as np

from pyconv import _targets
from pyconv._args import bool_arg, float_arg, int_arg
from pyconv._scalars import Number
from pyconv.losses.functional import mean_absolute_error, mean_squared_error
from pyconv.losses.loss import same_rank
from pyconv.metrics import functional
from pyconv.metrics.reduction import Mean, MeanMetricWrapper


class Accuracy(MeanMetricWrapper):
    """How often ``y_pred`` equals ``y_true``.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.Accuracy()([[1], [2], [3], [4]], [[0], [2], [3], [4]])
        0.75
    """

    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(functional.accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often ``y_pred > threshold`` is the label, 0 or 1.

    Args:
        name, dtype: see ``Metric``.
        threshold: probabilities above it count as 1.

    Raises:
        TypeError: ``threshold`` is not a number.
        ValueError: it is not from 0 to 1, or ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.BinaryAccuracy()([[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]])
        0.75
    """

    _direction = "up"

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        limit = float_arg("BinaryAccuracy", "threshold", threshold, 0.0, 1.0)
        super().__init__(functional.binary_accuracy, name, dtype, threshold=limit)
        self.threshold = limit


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is where the largest (one-hot) label is.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.CategoricalAccuracy()([[0, 1], [1, 0]], [[0.1, 0.9], [0.2, 0.8]])
        0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(functional.categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is that of the class number.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.SparseCategoricalAccuracy()([1, 0], [[0.1, 0.9], [0.2, 0.8]])
        0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(functional.sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest (one-hot) label is among the k largest predictions.

    Args:
        k: 1 or more.
        name, dtype: see ``Metric``.

    Raises:
        TypeError: ``k`` is not an integer.
        ValueError: ``k`` is below 1, or ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.TopKCategoricalAccuracy(k=1)
        >>> metric([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
        0.5
    """

    _direction = "up"

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        places = int_arg("TopKCategoricalAccuracy", "k", k)
        super().__init__(functional.top_k_categorical_accuracy, name, dtype, k=places)
        self.k = places


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class number is among the k largest predictions.

    Args:
        k: 1 or more.
        name, dtype: see ``Metric``.
        from_sorted_ids: whether ``y_pred`` holds class numbers, the likeliest first.

    Raises:
        TypeError: ``k`` is not an integer.
        ValueError: ``k`` is below 1, or ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.SparseTopKCategoricalAccuracy(k=1)
        >>> metric([2, 1], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
        0.5
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        places = int_arg("SparseTopKCategoricalAccuracy", "k", k)
        self.from_sorted_ids = bool_arg(type(self).__name__, "from_sorted_ids", from_sorted_ids)
        ids = {"from_sorted_ids": True} if self.from_sorted_ids else {}
        super().__init__(functional.sparse_top_k_categorical_accuracy, name, dtype, k=places, **ids)
        self.k = places


class MeanSquaredError(MeanMetricWrapper):
    """Mean of the squared differences.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.MeanSquaredError()([[0, 1], [0, 0]], [[1, 1], [0, 0]])
        0.25
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of the absolute differences.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.MeanAbsoluteError()([[0, 1], [0, 0]], [[1, 1], [0, 0]])
        0.25
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean of the squared differences.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.RootMeanSquaredError()([[0, 1], [0, 0]], [[1, 1], [0, 0]])
        0.5
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take up a batch; see ``Metric.update_state``."""
        y, p = same_rank(
            _targets.numeric(self.name, "y_true", y_true).astype(np.float64),
            _targets.numeric(self.name, "y_pred", y_pred).astype(np.float64),
        )
        if y.shape != p.shape:
            raise ValueError(
                f"{self.name}: y_true and y_pred must have the same shape, got {y.shape} and "
                f"{p.shape}"
            )
        super().update_state((p - y) ** 2, sample_weight)

    def result(self) -> Any:
        """Return the root of the mean."""
        return Number(np.sqrt(super().result()))
