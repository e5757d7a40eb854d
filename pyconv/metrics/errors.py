"""Losses of regression and of margins as metrics: their means over all samples."""

from typing import Any

from numpy.typing import NDArray

from pyconv import losses
from pyconv.metrics.reduction import MeanMetricWrapper


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
