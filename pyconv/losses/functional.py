"""The losses as functions: the loss of each row, not reduced."""

from collections.abc import Sequence
from typing import Any

from pyconv._types import Array
from pyconv.losses.categorical_crossentropy import (
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from pyconv.losses.elementwise import BinaryCrossentropy, MeanAbsoluteError, MeanSquaredError
from pyconv.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
)


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
        axis: the axis of the classes.

    Output shape:
        (N, ...), float32; () where ``y_pred`` has one axis.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a label is not finite.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.categorical_crossentropy([[0, 1]], [[0.5, 0.5]])
        >>> f"{rows[0]:.4f}"
        '0.6931'
    """
    loss = CategoricalCrossentropy(from_logits, label_smoothing, axis)
    return loss.unreduced(y_true, y_pred)


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
        ignore_class: a label whose rows have loss 0, or None.
        axis: the axis of the classes.

    Output shape:
        (N, ...), float32; () where ``y_pred`` has one axis.

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
    return loss.unreduced(y_true, y_pred)


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
        axis: the axis of the mean.

    Output shape:
        (N, ...), float32; () where ``y_pred`` has one axis.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a label is not finite.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.binary_crossentropy([[1, 0]], [[0.5, 0.5]])
        >>> f"{rows[0]:.4f}"
        '0.6931'
    """
    loss = BinaryCrossentropy(from_logits, label_smoothing, axis)
    return loss.unreduced(y_true, y_pred)


def mean_squared_error(y_true: Any, y_pred: Any) -> Array:
    """Mean squared error of each row; see ``MeanSquaredError``.

    Args:
        y_true: (N, ..., C) targets.
        y_pred: (N, ..., C) predictions.

    Output shape:
        (N, ...), float32; () where ``y_pred`` has one axis.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a target is not finite.

    Example:
        >>> import pyconv
        >>> pyconv.losses.mean_squared_error([[0, 2]], [[0, 0]]).tolist()
        [2.0]
    """
    return MeanSquaredError().unreduced(y_true, y_pred)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Array:
    """Mean absolute error of each row; see ``MeanAbsoluteError``.

    Args:
        y_true: (N, ..., C) targets.
        y_pred: (N, ..., C) predictions.

    Output shape:
        (N, ...), float32; () where ``y_pred`` has one axis.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a target is not finite.

    Example:
        >>> import pyconv
        >>> pyconv.losses.mean_absolute_error([[0, 2]], [[0, 0]]).tolist()
        [1.0]
    """
    return MeanAbsoluteError().unreduced(y_true, y_pred)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Binary focal cross-entropy of each row; see ``BinaryFocalCrossentropy``.

    Args:
        y_true: (N, ..., C) labels from 0 to 1.
        y_pred: (N, ..., C) probabilities, or logits.
        apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis: see the class.

    Output shape:
        (N, ...), float32; () where ``y_pred`` has one axis.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a label is not finite.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.binary_focal_crossentropy([[0, 1]], [[0.6, 0.4]])
        >>> f"{rows[0]:.3f}"
        '0.330'
    """
    loss = BinaryFocalCrossentropy(
        apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis
    )
    return loss.unreduced(y_true, y_pred)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Focal cross-entropy of each row; see ``CategoricalFocalCrossentropy``.

    Args:
        y_true: (N, ..., C) probabilities, such as one-hot.
        y_pred: (N, ..., C) probabilities, or logits.
        alpha, gamma, from_logits, label_smoothing, axis: see the class.

    Output shape:
        (N, ...), float32; () where ``y_pred`` has one axis.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a label is not finite.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.categorical_focal_crossentropy([[0, 1]], [[0.5, 0.5]])
        >>> f"{rows[0]:.4f}"
        '0.0433'
    """
    loss = CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing, axis)
    return loss.unreduced(y_true, y_pred)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float = 0.5) -> Array:
    """Generalized cross-entropy of each row; see ``CategoricalGeneralizedCrossEntropy``.

    Args:
        y_true: (N, ...) or (N, ..., 1) class numbers.
        y_pred: (N, ..., C) probabilities.
        q: above 0, below 1.

    Output shape:
        (N, ...), float32; () where ``y_pred`` has one axis.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes differ, or a label is not the number of a class.

    Example:
        >>> import pyconv
        >>> pyconv.losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]]).tolist()
        [1.0]
    """
    return CategoricalGeneralizedCrossEntropy(q).unreduced(y_true, y_pred)
