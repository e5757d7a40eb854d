"""Metrics: numbers that tell how good a model is, gathered over an epoch."""

from typing import Any

from pyconv import _registry
from pyconv.metrics.classes import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from pyconv.metrics.functional import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from pyconv.metrics.metric import Mean, MeanMetricWrapper, Metric

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "deserialize",
    "get",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]

_BY_ID: dict[str, type[Metric]] = {
    "accuracy": Accuracy,
    "binary_accuracy": BinaryAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
}
_CLASSES = {**_BY_ID, **{found.__name__.lower(): found for found in _BY_ID.values()}}


def get(identifier: Any) -> Metric:
    """Return the metric of a name, a function, a config, or the metric itself.

    Args:
        identifier: such as 'categorical_accuracy', 'CategoricalAccuracy' or 'mse', a function
            ``fn(y_true, y_pred)`` that returns one number a row, what ``serialize`` gave, or a
            ``Metric``.

    Raises:
        TypeError: it is none of these.
        ValueError: the name or the config is not known.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.get("mse").name
        'mse'
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        found = _registry.find_class("metrics.get", "metric", identifier, _CLASSES)
        return _registry.construct("metrics.get", found, {"name": identifier})
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        raise TypeError(f"metrics.get: got the class, give an instance: {identifier.__name__}()")
    if callable(identifier):
        return MeanMetricWrapper(identifier)
    raise TypeError(
        "metrics.get: identifier must be a name such as 'accuracy', a function, a config or a "
        f"Metric, got {identifier!r}"
    )


def serialize(metric: Metric) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}``.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.serialize(pyconv.metrics.MeanSquaredError())["class_name"]
        'MeanSquaredError'
    """
    return _registry.to_config(metric)


def deserialize(config: dict[str, Any]) -> Metric:
    """Make the metric that ``serialize`` described.

    Raises:
        ValueError: the class is not in pyconv's table, or an argument is wrong.

    Example:
        >>> import pyconv
        >>> config = {"class_name": "TopKCategoricalAccuracy", "config": {"k": 3}}
        >>> pyconv.metrics.deserialize(config).name
        'top_k_categorical_accuracy'
    """
    found, arguments = _registry.find_config("metrics.deserialize", "metric", config, _CLASSES)
    return _registry.construct("metrics.deserialize", found, arguments)
