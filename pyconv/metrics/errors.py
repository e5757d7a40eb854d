"""Losses as metrics: their means over all samples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import losses
from pyconv.losses.loss import same_rank
from pyconv.metrics.reduction import MeanMetricWrapper


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean of the binary cross-entropy.

    Args:
        name, dtype: see ``Metric``.
        from_logits: whether ``y_pred`` holds logits.
        label_smoothing: how much labels are smoothed.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.BinaryCrossentropy()
        >>> f"{metric([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]):.4f}"
        '0.8149'
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean of the cross-entropy of one-hot labels.

    Args:
        name, dtype: see ``Metric``.
        from_logits: whether ``y_pred`` holds logits.
        label_smoothing: how much labels are smoothed.
        axis: the axis of the classes.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.CategoricalCrossentropy()
        >>> f"{metric([[0, 1, 0], [0, 0, 1]], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]):.4f}"
        '1.1769'
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean of the cross-entropy of class numbers.

    Args:
        name, dtype: see ``Metric``.
        from_logits: whether ``y_pred`` holds logits.
        ignore_class: a label whose rows have loss 0, or None.
        axis: the axis of the classes.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.SparseCategoricalCrossentropy()
        >>> f"{metric([1, 2], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]):.4f}"
        '1.1769'
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take up a batch; with weights, rows of ``ignore_class`` do not count."""
        ignored = self._kwargs["ignore_class"]
        if ignored is not None and sample_weight is not None:
            kept = np.not_equal(y_true, ignored)
            kept, weight = same_rank(kept, np.asarray(sample_weight, np.float64))
            sample_weight = kept * weight
        super().update_state(y_true, y_pred, sample_weight)


class KLDivergence(MeanMetricWrapper):
    """Mean of the Kullback-Leibler divergence.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.KLDivergence()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]):.4f}"
        '0.4581'
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """Mean of Poisson's loss.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.Poisson()([[0, 1], [0, 0]], [[1, 1], [0, 0]]):.4f}"
        '0.5000'
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(losses.poisson, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean of the absolute errors in percent of the labels.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.MeanAbsolutePercentageError()([[1.0, 2.0]], [[2.0, 2.0]]):.4f}"
        '50.0000'
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of the squared differences of logarithms.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.MeanSquaredLogarithmicError()
        >>> f"{metric([[0, 1], [0, 0]], [[1, 1], [0, 0]]):.4f}"
        '0.1201'
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean of the logarithm of the hyperbolic cosine of the error.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.LogCoshError()([[0, 1], [0, 0]], [[1, 1], [0, 0]]):.4f}"
        '0.1084'
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "logcosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(losses.log_cosh, name, dtype)


class Hinge(MeanMetricWrapper):
    """Mean of the hinge loss.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.Hinge()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]):.4f}"
        '1.3000'
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """Mean of the squared hinge loss.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.SquaredHinge()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]):.4f}"
        '1.8600'
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """Mean of the categorical hinge loss.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.CategoricalHinge()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]):.4f}"
        '1.4000'
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """Mean of the cosine of the angle between labels and predictions.

    Args:
        name, dtype: see ``Metric``.
        axis: the axis of the rows.

    Raises:
        ValueError: an argument is not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.CosineSimilarity()
        >>> f"{metric([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]]):.4f}"
        '0.5000'
    """

    _direction = "up"

    def __init__(
        self,
        name: str | None = "cosine_similarity",
        dtype: Any = None,
        axis: int = -1,
    ) -> None:
        super().__init__(_cosine, name, dtype, axis=axis)


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> NDArray[Any]:
    return -losses.cosine_similarity(y_true, y_pred, axis)
