"""Cross-entropy of one-hot (or soft) labels and of class numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets, backend
from pyconv._args import float_arg
from pyconv._types import Array, Shape
from pyconv.losses.loss import Loss

# Keras's epsilon: probabilities are kept this far from 0 and 1.
EPSILON = 1e-7


class CategoricalCrossentropy(Loss):
    """Cross-entropy of labels given as one row of probabilities, such as one-hot, a sample.

    ``-sum(y_true * log(y_pred))`` over the last axis. Probabilities are divided by their sum and
    kept in [1e-7, 1 - 1e-7]. While training a network that ends in softmax, the loss and its
    gradient are taken from the logits instead, which is exact for any probability.

    Args:
        from_logits: whether ``y_pred`` holds logits rather than probabilities.
        label_smoothing: a in [0, 1]; labels become ``y * (1 - a) + a / C``.
        axis: the axis of the classes; must be -1.
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
        super().__init__(name, reduction, dtype)
        owner = type(self).__name__
        require_last_axis(owner, axis)
        self.from_logits = bool(from_logits)
        self.label_smoothing = float_arg(owner, "label_smoothing", label_smoothing, 0.0, 1.0)

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return ``y`` checked to be of the output's shape."""
        require_classes(owner, type(self).__name__, output_shape)
        return _targets.values(owner, y, output_shape, one_hot=True)

    def call(self, y_true: NDArray[Any], y_pred: Array) -> Array:
        """Return the loss of each row."""
        return self.call_with_gradient(y_true, y_pred, np.ones(y_pred.shape[:-1], np.float32))[0]

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        labels = y_true.astype(np.float32, copy=False)
        if self.label_smoothing:
            classes = y_pred.shape[-1]
            labels = labels * np.float32(1 - self.label_smoothing) + np.float32(
                self.label_smoothing / classes
            )
        if self.from_logits:
            return cross_entropy_of_logits(labels, y_pred, row_scale, out)
        return _cross_entropy_of_probabilities(labels, y_pred, row_scale, out)

    def on_logits(self) -> Loss | None:
        """Return this loss with ``from_logits=True``."""
        if self.from_logits:
            return None
        return type(self).from_config({**self.get_config(), "from_logits": True})

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": -1,
        }


class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy of labels given as class numbers, (N,) or (N, 1).

    ``-log(y_pred[label])``; otherwise as ``CategoricalCrossentropy``.

    Args:
        from_logits: whether ``y_pred`` holds logits rather than probabilities.
        ignore_class: not supported; must be None.
        reduction: see ``Loss``.
        axis: the axis of the classes; must be -1.
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
        super().__init__(name, reduction, dtype)
        owner = type(self).__name__
        require_last_axis(owner, axis)
        if ignore_class is not None:
            raise ValueError(
                f"{owner}: ignore_class is not supported, got {ignore_class!r}; give those rows "
                "a sample_weight of 0"
            )
        self.from_logits = bool(from_logits)

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return ``y`` as int64 class numbers, checked to be those of an output."""
        require_classes(owner, type(self).__name__, output_shape)
        return _targets.class_numbers(owner, y, output_shape)

    def call(self, y_true: NDArray[Any], y_pred: Array) -> Array:
        """Return the loss of each row."""
        return self.call_with_gradient(y_true, y_pred, np.ones(y_pred.shape[:-1], np.float32))[0]

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        if self.from_logits:
            return cross_entropy_of_logits(y_true, y_pred, row_scale, out)
        one_hot = np.zeros(y_pred.shape, np.float32)
        np.put_along_axis(one_hot, y_true[..., None], 1.0, axis=-1)
        return _cross_entropy_of_probabilities(one_hot, y_pred, row_scale, out)

    def on_logits(self) -> Loss | None:
        """Return this loss with ``from_logits=True``."""
        if self.from_logits:
            return None
        return type(self).from_config({**self.get_config(), "from_logits": True})

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "ignore_class": None,
            "axis": -1,
        }


def cross_entropy_of_logits(
    labels: NDArray[Any], logits: Array, row_scale: Array, out: Array | None
) -> tuple[Array, Array]:
    """The backend's softmax cross-entropy, for logits of any number of axes."""
    classes = logits.shape[-1]
    flat_labels = labels.reshape(-1, classes) if labels.ndim == logits.ndim else labels.reshape(-1)
    rows, grad = backend.active.softmax_cross_entropy(
        logits.reshape(-1, classes),
        flat_labels,
        row_scale.reshape(-1),
        None,
        None if out is None else out.reshape(-1, classes),
    )
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
        clipped = np.clip(q, EPSILON, 1 - EPSILON)
        rows = -(labels * np.log(clipped)).sum(axis=-1)
        dq = np.where(q == clipped, -labels / clipped, 0.0)
        dp = (dq - (dq * q).sum(axis=-1, keepdims=True)) / total * row_scale[..., None]
    grad = np.empty(y_pred.shape, np.float32) if out is None else out
    grad[...] = dp
    return rows.astype(np.float32), grad


def require_last_axis(owner: str, axis: int) -> None:
    """Raise ValueError where the axis of the classes is not the last."""
    if axis != -1:
        raise ValueError(f"{owner}: axis must be -1, the last axis, got {axis!r}")


def require_classes(owner: str, loss: str, output_shape: Shape) -> None:
    """Raise ValueError where the network has one output: its softmax would be 1 for any input."""
    if len(output_shape) < 2 or output_shape[-1] == 1:
        raise ValueError(
            f"{owner}: {loss} needs an output of at least 2 classes, shape (N, C), got "
            f"{output_shape}; for one output use BinaryCrossentropy"
        )
