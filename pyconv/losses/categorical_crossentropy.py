"""Cross-entropy of one-hot (or soft) labels and of class numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets, backend
from pyconv._args import bool_arg, float_arg, int_arg
from pyconv._types import Array, Shape
from pyconv.losses._axis import AxisLoss
from pyconv.losses._elements import of_rows, smoothed
from pyconv.losses.loss import Loss

# Keras's epsilon: probabilities are kept this far from 0 and 1, the latter as float32 has it.
EPSILON = 1e-7
MOST = float(np.float32(1 - EPSILON))


class _CrossEntropy(AxisLoss):
    """A loss of probabilities that is as well one of logits."""

    def __init__(
        self, from_logits: bool, axis: int, reduction: str | None, name: str | None, dtype: Any
    ) -> None:
        super().__init__(axis, reduction, name, dtype)
        self.from_logits = bool_arg(type(self).__name__, "from_logits", from_logits)

    def on_logits(self) -> Loss | None:
        """Return this loss with ``from_logits=True``."""
        if self.from_logits or self.axis != -1:
            return None
        return type(self).from_config({**self.get_config(), "from_logits": True})

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "from_logits": self.from_logits}


class CategoricalCrossentropy(_CrossEntropy):
    """Cross-entropy of labels given as one row of probabilities, such as one-hot, a sample.

    ``-sum(y_true * log(y_pred))`` over the last axis. Probabilities are divided by their sum and
    kept in [1e-7, 1 - 1e-7]. While training a network that ends in softmax, the loss and its
    gradient are taken from the logits instead, which is exact for any probability.

    Args:
        from_logits: whether ``y_pred`` holds logits rather than probabilities.
        label_smoothing: a in [0, 1]; labels become ``y * (1 - a) + a / C``.
        axis: the axis of the classes.
        reduction, name, dtype: see ``Loss``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> loss = pyconv.losses.CategoricalCrossentropy()
        >>> round(loss([[0, 1, 0], [0, 0, 1]], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]), 3)
        1.177
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(from_logits, axis, reduction, name, dtype)
        owner = type(self).__name__
        self.label_smoothing = float_arg(owner, "label_smoothing", label_smoothing, 0.0, 1.0)

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return ``y`` checked to be of the output's shape."""
        self._require_axis(owner, output_shape)
        require_classes(owner, type(self).__name__, output_shape, self.axis)
        return super().check_targets(y, output_shape, owner)

    def _last_axis(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None
    ) -> tuple[Array, Array]:
        labels = y_true.astype(np.float32, copy=False)
        labels = smoothed(labels, self.label_smoothing, y_pred.shape[-1])
        if self.from_logits:
            return cross_entropy_of_logits(labels, y_pred, row_scale, out)
        return _cross_entropy_of_probabilities(labels, y_pred, row_scale, out)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


class SparseCategoricalCrossentropy(_CrossEntropy):
    """Cross-entropy of labels given as class numbers, (N,) or (N, 1).

    ``-log(y_pred[label])``; otherwise as ``CategoricalCrossentropy``.

    Args:
        from_logits: whether ``y_pred`` holds logits rather than probabilities.
        ignore_class: a label whose rows count neither in the loss nor in its mean, or None.
        reduction: see ``Loss``.
        axis: the axis of the classes.
        name, dtype: see ``Loss``.

    Raises:
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> loss = pyconv.losses.SparseCategoricalCrossentropy()
        >>> round(loss([1, 2], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]), 3)
        1.177
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(from_logits, axis, reduction, name, dtype)
        owner, any_number = type(self).__name__, -(2**31)
        self.ignore_class = (
            None
            if ignore_class is None
            else int_arg(owner, "ignore_class", ignore_class, any_number)
        )
        self.masks = self.ignore_class is not None

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return ``y`` as int64 class numbers, checked to be those of an output."""
        self._require_axis(owner, output_shape)
        require_classes(owner, type(self).__name__, output_shape, self.axis)
        classes, rows = output_shape[self.axis], self.rows_shape(output_shape)
        if self.axis not in (-1, len(output_shape) - 1) and np.ndim(y) == len(output_shape):
            y = np.moveaxis(_targets.numeric(owner, "y", y), self.axis, -1)
        if self.ignore_class is None:
            return _targets.class_numbers(owner, y, (*rows, classes))
        labels = _targets.numeric(owner, "y", y)
        ignored = labels == self.ignore_class
        kept = _targets.class_numbers(owner, np.where(ignored, 0, labels), (*rows, classes))
        return np.where(ignored.reshape(kept.shape), self.ignore_class, kept)

    def row_mask(self, y_true: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which rows have another label than ``ignore_class``."""
        mask: NDArray[np.bool_] = y_true != self.ignore_class
        return mask

    def _last_axis(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None
    ) -> tuple[Array, Array]:
        labels = np.where(y_true == self.ignore_class, 0, y_true) if self.masks else y_true
        if self.from_logits:
            return cross_entropy_of_logits(labels, y_pred, row_scale, out)
        one_hot = np.zeros(y_pred.shape, np.float32)
        np.put_along_axis(one_hot, labels[..., None], 1.0, axis=-1)
        return _cross_entropy_of_probabilities(one_hot, y_pred, row_scale, out)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "ignore_class": self.ignore_class}


def cross_entropy_of_logits(
    labels: NDArray[Any], logits: Array, row_scale: Array, out: Array | None
) -> tuple[Array, Array]:
    """The backend's softmax cross-entropy, for logits of any number of axes."""
    classes = logits.shape[-1]
    flat_labels = labels.reshape(-1, classes) if labels.ndim == logits.ndim else labels.reshape(-1)
    given = None if out is None or not backend.is_here(out) else out.reshape(-1, classes)
    rows, grad = backend.functional.softmax_cross_entropy(
        logits.reshape(-1, classes), flat_labels, row_scale.reshape(-1), None, given
    )
    if out is not None and given is None:  # an array of numpy, and operations on a device
        out[...] = grad.reshape(out.shape)
        grad = out
    return rows.reshape(logits.shape[:-1]), grad.reshape(logits.shape)


def _cross_entropy_of_probabilities(
    labels: Array, y_pred: Array, row_scale: Array, out: Array | None
) -> tuple[Array, Array]:
    # L = -sum y log(clip(q)), q = p / s, s = sum p: dL/dp = (dL/dq - sum(dL/dq * q)) / s, and
    # dL/dq is 0 where q was clipped.
    p = y_pred.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = p.sum(axis=-1, keepdims=True)
        q = p / total
        clipped = np.clip(q, EPSILON, MOST)
        rows = -(labels * np.log(clipped)).sum(axis=-1)
        dq = np.where(q == clipped, -labels / clipped, 0.0)
        dp = (dq - (dq * q).sum(axis=-1, keepdims=True)) / total
        return of_rows((rows, dp), row_scale, out)


def require_classes(owner: str, loss: str, output_shape: Shape, axis: int = -1) -> None:
    """Raise ValueError where the network has one output: its softmax would be 1 for any input."""
    if len(output_shape) < 2 or output_shape[axis] == 1:
        raise ValueError(
            f"{owner}: {loss} needs an output of at least 2 classes, shape (N, C), got "
            f"{output_shape}; for one output use BinaryCrossentropy"
        )
