"""Losses of probabilities as metrics: their means over all samples."""

from typing import Any

import numpy as np

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
