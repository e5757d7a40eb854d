"""Metrics as functions: one number a row, not gathered."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets, backend
from pyconv._args import bool_arg, float_arg, int_arg
from pyconv._types import Array
from pyconv.losses.loss import prediction, same_rank


def accuracy(y_true: Any, y_pred: Any) -> Array:
    """1 for each value that is equal, else 0.

    Args:
        y_true: values of any shape.
        y_pred: as many values.

    Output shape:
        That of the values, float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.accuracy([[1], [2]], [[1], [3]]).tolist()
        [[1.0], [0.0]]
    """
    labels, predicted = _alike("accuracy", y_true, y_pred)
    return _float(labels == predicted)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Array:
    """1 for each label that ``y_pred > threshold`` gives right, else 0.

    Args:
        y_true: labels of any shape, 0 or 1.
        y_pred: as many probabilities.
        threshold: probabilities above it count as 1.

    Output shape:
        That of the labels, float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.binary_accuracy([[1], [1]], [[0.9], [0.2]]).tolist()
        [[1.0], [0.0]]
    """
    labels, predicted = _alike("binary_accuracy", y_true, y_pred)
    limit = float_arg("binary_accuracy", "threshold", threshold)
    return _float(labels == (predicted.astype(np.float32, copy=False) > limit))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Array:
    """1 for each row whose largest prediction is where its largest label is, else 0.

    Args:
        y_true: (N, ..., C) labels, such as one-hot.
        y_pred: (N, ..., C) probabilities or logits; the first of equal values counts.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.categorical_accuracy([[0, 1], [0, 1]], [[0.1, 0.9], [0.8, 0.2]]).tolist()
        [1.0, 0.0]
    """
    labels, predicted = _one_hot("categorical_accuracy", y_true, y_pred)
    if labels.dtype != np.float32:
        labels = labels.argmax(axis=-1)
    return _argmax_hits(labels, predicted)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Array:
    """1 for each row whose largest prediction is that of its class, else 0.

    Args:
        y_true: (N, ...) or (N, ..., 1) class numbers.
        y_pred: (N, ..., C) probabilities or logits; the first of equal values counts.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a label is not the number of a class.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.sparse_categorical_accuracy([1, 1], [[0.1, 0.9], [0.8, 0.2]]).tolist()
        [1.0, 0.0]
    """
    predicted = prediction("sparse_categorical_accuracy", y_pred)
    labels = _targets.class_numbers("sparse_categorical_accuracy", y_true, predicted.shape)
    return _argmax_hits(labels, predicted)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Array:
    """1 for each row whose largest label is among its k largest predictions, else 0.

    Args:
        y_true: (N, ..., C) labels, such as one-hot.
        y_pred: (N, ..., C) probabilities or logits; a tie at the k-th place counts as a hit.
        k: 1 or more.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers, or ``k`` is not an integer.
        ValueError: shapes differ, or ``k`` is below 1.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.top_k_categorical_accuracy([[0, 0, 1]], [[0.5, 0.2, 0.3]], k=2).tolist()
        [1.0]
    """
    labels, predicted = _one_hot("top_k_categorical_accuracy", y_true, y_pred)
    return _in_top_k("top_k_categorical_accuracy", labels.argmax(axis=-1), predicted, k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Array:
    """1 for each row whose class is among its k largest predictions, else 0.

    Args:
        y_true: (N, ...) or (N, ..., 1) class numbers.
        y_pred: (N, ..., C) probabilities or logits; a tie at the k-th place counts as a hit.
        k: 1 or more.
        from_sorted_ids: whether ``y_pred`` holds class numbers instead, the likeliest first.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers, or ``k`` is not an integer.
        ValueError: shapes differ, a label is not the number of a class, or ``k`` is below 1.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.sparse_top_k_categorical_accuracy([2], [[0.5, 0.2, 0.3]], k=2).tolist()
        [1.0]
    """
    owner = "sparse_top_k_categorical_accuracy"
    predicted = prediction(owner, y_pred)
    if bool_arg(owner, "from_sorted_ids", from_sorted_ids):
        ids = _targets.class_numbers(owner, y_true, (*predicted.shape[:-1], None))
        return _float((predicted[..., : int_arg(owner, "k", k)] == ids[..., None]).any(axis=-1))
    labels = _targets.class_numbers(owner, y_true, predicted.shape)
    return _in_top_k(owner, labels, predicted, k)


def _alike(owner: str, y_true: Any, y_pred: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    labels, predicted = same_rank(
        _targets.numeric(owner, "y", y_true), _targets.numeric(owner, "y_pred", y_pred)
    )
    if labels.ndim == 0 or predicted.ndim == 0:
        labels, predicted = np.atleast_1d(labels), np.atleast_1d(predicted)
    if predicted.ndim > 1 and predicted.shape == (*labels.shape[:-1], 1):
        predicted = np.broadcast_to(predicted, labels.shape)  # one output for labels of a row
    return _targets.values(owner, labels, predicted.shape), predicted


def _one_hot(owner: str, y_true: Any, y_pred: Any) -> tuple[NDArray[Any], Array]:
    predicted = prediction(owner, y_pred)
    return _targets.values(owner, y_true, predicted.shape, one_hot=True), predicted


def _in_top_k(owner: str, labels: NDArray[np.int64], predicted: Array, k: int) -> Array:
    places = int_arg(owner, "k", k)
    own = np.take_along_axis(predicted, labels[..., None], axis=-1)
    # A prediction that is not finite is no hit, as in TensorFlow's in_top_k.
    better = (predicted > own).sum(axis=-1)
    return _float((better < places) & np.isfinite(own[..., 0]))


def _argmax_hits(labels: NDArray[Any], predicted: Array) -> Array:
    classes = predicted.shape[-1]
    rows = labels.reshape(-1, classes) if labels.ndim == predicted.ndim else labels.reshape(-1)
    hits = backend.functional.argmax_hits(predicted.reshape(-1, classes), rows)
    return hits.reshape(predicted.shape[:-1])


def _float(hits: NDArray[np.bool_]) -> Array:
    return np.asarray(hits, np.float32)
