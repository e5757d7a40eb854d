"""Metrics: numbers that tell how good a model is, gathered over an epoch."""

from collections.abc import Mapping
from typing import Any

from pyconv import _registry
from pyconv._names import snake_case
from pyconv.metrics.at import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from pyconv.metrics.classes import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from pyconv.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from pyconv.metrics.confusion_matrix import ConfusionMatrix
from pyconv.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from pyconv.metrics.curves import AUC
from pyconv.metrics.errors import (
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    LogCoshError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    SquaredHinge,
)
from pyconv.metrics.f_score import F1Score, FBetaScore
from pyconv.metrics.functional import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from pyconv.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from pyconv.metrics.metric import Metric
from pyconv.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from pyconv.metrics.r2_score import R2Score
from pyconv.metrics.reduction import Mean, MeanMetricWrapper, Sum

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "ConfusionMatrix",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "concordance_correlation",
    "deserialize",
    "get",
    "pearson_correlation",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]

_SHORT: dict[str, type[Metric]] = {
    "bce": BinaryCrossentropy,
    "fbeta_score": FBetaScore,
    "kld": KLDivergence,
    "log_cosh": LogCoshError,
    "logcosh": LogCoshError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
    "rmse": RootMeanSquaredError,
}
_ALL = [
    found
    for found in list(globals().values())
    if isinstance(found, type) and issubclass(found, Metric) and found is not Metric
]
_CLASSES: dict[str, type[Metric]] = {
    **{snake_case(found.__name__): found for found in _ALL},
    **{found.__name__.lower(): found for found in _ALL},
    **_SHORT,
}


def get(identifier: Any) -> Any:
    """Return the metric of a name, a function, a config or a class, or the metric itself.

    Args:
        identifier: such as 'categorical_accuracy', 'CategoricalAccuracy' or 'mse', a function
            ``fn(y_true, y_pred)`` that returns one number a row, what ``serialize`` gave, a
            ``Metric``, a class of them, or None.

    Raises:
        ValueError: it is none of these, or the name or the config is not known.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.get("mse").name
        'mse'
    """
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        found = _registry.find_class("metrics.get", "metric", identifier, _CLASSES)
        if not isinstance(found, type):
            return get(found)
        return _registry.construct("metrics.get", found, {"name": identifier})
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if callable(identifier):
        return MeanMetricWrapper(identifier)
    raise ValueError(
        "metrics.get: Could not interpret metric identifier; it must be a name such as "
        f"'accuracy', a function, a config or a Metric, got {identifier!r}"
    )


def serialize(metric: Metric) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}``.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.serialize(pyconv.metrics.MeanSquaredError())["class_name"]
        'MeanSquaredError'
    """
    return _registry.to_config(metric)


def deserialize(config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Metric:
    """Make the metric that ``serialize`` described.

    Args:
        config: what ``serialize`` gave.
        custom_objects: your own classes by name.

    Raises:
        ValueError: the class is not in pyconv's table, or an argument is wrong.

    Example:
        >>> import pyconv
        >>> config = {"class_name": "TopKCategoricalAccuracy", "config": {"k": 3}}
        >>> pyconv.metrics.deserialize(config).name
        'top_k_categorical_accuracy'
    """
    found, arguments = _registry.find_config(
        "metrics.deserialize", "metric", config, _registry.with_custom(_CLASSES, custom_objects)
    )
    return _registry.construct("metrics.deserialize", found, arguments)
