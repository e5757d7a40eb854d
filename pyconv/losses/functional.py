"""The losses as functions: the loss of each row, not reduced."""

from typing import Any

from pyconv._types import Array
from pyconv.losses.categorical_crossentropy import (
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from pyconv.losses.elementwise import BinaryCrossentropy, MeanAbsoluteError, MeanSquaredError
from pyconv.losses.loss import Loss, prediction


def _rows(loss: Loss, y_true: Any, y_pred: Any) -> Array:
    predicted = prediction(loss.name, y_pred)
    return loss.call(loss.check_targets(y_true, predicted.shape, loss.name), predicted)


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Cross-entropy of each row; see ``CategoricalCrossentropy``.

    Args:
        y_true: (N, ..., C) probabilities, such as one-hot.
        y_pred: (N, ..., C) probabilities, or logits.
        from_logits: whether ``y_pred`` holds logits.
        label_smoothing: a in [0, 1]; labels become ``y * (1 - a) + a / C``.
        axis: must be -1.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a label is not finite.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.categorical_crossentropy([[0, 1]], [[0.5, 0.5]])
        >>> f"{rows[0]:.4f}"
        '0.6931'
    """
    return _rows(CategoricalCrossentropy(from_logits, label_smoothing, axis), y_true, y_pred)


def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Array:
    """Cross-entropy of each row; see ``SparseCategoricalCrossentropy``.

    Args:
        y_true: (N, ...) or (N, ..., 1) class numbers.
        y_pred: (N, ..., C) probabilities, or logits.
        from_logits: whether ``y_pred`` holds logits.
        ignore_class: not supported; must be None.
        axis: must be -1.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a label is not the number of a class.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        >>> f"{rows[0]:.4f}"
        '0.6931'
    """
    loss = SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis)
    return _rows(loss, y_true, y_pred)


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Binary cross-entropy of each row; see ``BinaryCrossentropy``.

    Args:
        y_true: (N, ..., C) labels from 0 to 1.
        y_pred: (N, ..., C) probabilities, or logits.
        from_logits: whether ``y_pred`` holds logits.
        label_smoothing: a in [0, 1]; labels become ``y * (1 - a) + a / 2``.
        axis: must be -1.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a label is not finite.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.binary_crossentropy([[1, 0]], [[0.5, 0.5]])
        >>> f"{rows[0]:.4f}"
        '0.6931'
    """
    return _rows(BinaryCrossentropy(from_logits, label_smoothing, axis), y_true, y_pred)


def mean_squared_error(y_true: Any, y_pred: Any) -> Array:
    """Mean squared error of each row; see ``MeanSquaredError``.

    Args:
        y_true: (N, ..., C) targets.
        y_pred: (N, ..., C) predictions.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a target is not finite.

    Example:
        >>> import pyconv
        >>> pyconv.losses.mean_squared_error([[0, 2]], [[0, 0]]).tolist()
        [2.0]
    """
    return _rows(MeanSquaredError(), y_true, y_pred)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Array:
    """Mean absolute error of each row; see ``MeanAbsoluteError``.

    Args:
        y_true: (N, ..., C) targets.
        y_pred: (N, ..., C) predictions.

    Output shape:
        (N, ...), float32.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a target is not finite.

    Example:
        >>> import pyconv
        >>> pyconv.losses.mean_absolute_error([[0, 2]], [[0, 0]]).tolist()
        [1.0]
    """
    return _rows(MeanAbsoluteError(), y_true, y_pred)
