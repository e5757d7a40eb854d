"""A loss of embeddings: images of one class lie close, those of others far."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._args import bool_arg, float_arg
from pyconv._types import Array, Shape
from pyconv.losses.loss import RowLoss, filled


class Circle(RowLoss):
    """Circle loss (Sun et al., 2020) of embeddings of length 1, each against all of the batch.

    Samples without another of their class, or without one of another class, do not count.

    Args:
        gamma: the scale.
        margin: how far from the best a distance may be.
        remove_diagonal: whether a sample is not compared with itself.
        reduction, name, dtype: see ``Loss``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range or not supported; labels are not whole numbers.

    Example:
        >>> import pyconv
        >>> loss = pyconv.losses.Circle()
        >>> loss([0, 0, 1], [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]) > 0
        True
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2)])
        >>> model.compile("sgd", loss)
    """

    masks = True

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        owner = type(self).__name__
        self.gamma = float_arg(owner, "gamma", gamma)
        self.margin = float_arg(owner, "margin", margin)
        self.remove_diagonal = bool_arg(owner, "remove_diagonal", remove_diagonal)

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return class numbers (N,); an output is (N, C)."""
        if len(output_shape) != 2:
            raise ValueError(f"{owner}: Circle takes embeddings (N, C), got {output_shape}")
        return _targets.class_numbers(owner, y, (output_shape[0], None))

    def row_mask(self, y_true: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which samples have others of their class, and of another."""
        same = _same(y_true, y_true, self.remove_diagonal)
        other = y_true[:, None] != y_true[None, :]
        mask: NDArray[np.bool_] = same.any(axis=1) & other.any(axis=1)
        return mask

    def call(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> Array:
        """Return the loss of each sample."""
        return circle(y_true, y_pred, None, None, self.remove_diagonal, self.gamma, self.margin)

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each sample, scaled gradient)."""
        p = y_pred.astype(np.float64)
        pairs = _Pairs(y_true, p, y_true, p, self.remove_diagonal, self.gamma, self.margin)
        slopes = pairs.slopes() * row_scale[:, None]
        # A distance is 1 minus the product of two embeddings, and has a gradient by both.
        return pairs.loss(), filled(out, y_pred.shape, -(slopes + slopes.T) @ p)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "margin": self.margin,
            "remove_diagonal": self.remove_diagonal,
        }


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80.0,
    margin: float = 0.4,
) -> Array:
    """Circle loss of each sample; see ``Circle``.

    Args:
        y_true: (N,) class numbers.
        y_pred: (N, C) embeddings of length 1.
        ref_labels: (M,) classes of what they are compared with; None for their own.
        ref_embeddings: (M, C) embeddings that they are compared with; None for themselves.
        remove_diagonal: whether the i-th is not compared with the i-th.
        gamma, margin: see ``Circle``.

    Output shape:
        (N,), float32; 0 where a sample does not count.

    Raises:
        TypeError: an array does not hold numbers.
        ValueError: shapes do not fit, or labels are not whole numbers.

    Example:
        >>> import pyconv
        >>> rows = pyconv.losses.circle([0, 0, 1], [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
        >>> rows[2]
        np.float32(0.0)
    """
    p = _embeddings("y_pred", y_pred)
    reference = p if ref_embeddings is None else _embeddings("ref_embeddings", ref_embeddings)
    labels = _targets.class_numbers("circle", y_true, (len(p), None), "y_true")
    others = labels
    if ref_labels is not None:
        others = _targets.class_numbers("circle", ref_labels, (len(reference), None), "ref_labels")
    if reference.shape[1] != p.shape[1] or len(others) != len(reference):
        raise ValueError(
            f"circle: ref_embeddings must be ({len(others)}, {p.shape[1]}), one a label, got "
            f"{reference.shape}"
        )
    return _Pairs(labels, p, others, reference, remove_diagonal, gamma, margin).loss()


class _Pairs:
    """The distances of all pairs, and what they weigh."""

    def __init__(
        self,
        labels: NDArray[Any],
        embeddings: NDArray[Any],
        other_labels: NDArray[Any],
        others: NDArray[Any],
        remove_diagonal: bool,
        gamma: float,
        margin: float,
    ) -> None:
        self.gamma, self.margin = gamma, margin
        self.distances = np.maximum(1 - embeddings @ others.T, 0.0)
        self.same = _same(labels, other_labels, remove_diagonal)
        self.other = labels[:, None] != other_labels[None, :]
        d, m = self.distances, margin
        self.near = np.where(self.same, -gamma * (m + d) * (m - d), -np.inf)
        self.far = np.where(self.other, gamma * np.maximum(1 + m - d, 0) * (1 - m - d), -np.inf)
        self.total = _logsumexp(self.near) + _logsumexp(self.far)

    def loss(self) -> Array:
        result: Array = np.logaddexp(self.total, 0).astype(np.float32)
        return result

    def slopes(self) -> NDArray[Any]:
        """Return the derivative of each sample's loss by each of its distances."""
        d, m = self.distances, self.margin
        counts = np.isfinite(self.total)
        outer = np.where(counts, 0.5 * (1 + np.tanh(np.where(counts, self.total, 0) / 2)), 0)
        near = _softmax(self.near) * 2 * self.gamma * d
        far = _softmax(self.far) * np.where(d < 1 + m, self.gamma * (2 * d - 2), 0)
        result: NDArray[Any] = np.where(d > 0, outer[:, None] * (near + far), 0)
        return result


def _same(a: NDArray[Any], b: NDArray[Any], remove_diagonal: bool) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = a[:, None] == b[None, :]
    if remove_diagonal:
        np.fill_diagonal(same, False)
    return same


def _logsumexp(x: NDArray[Any]) -> NDArray[Any]:
    """Return the logarithm of the sum of exponentials of rows; -inf of none."""
    top = x.max(axis=1, keepdims=True)
    finite = np.isfinite(top)
    parts = np.exp(x - np.where(finite, top, 0)).sum(axis=1)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(parts) + np.where(finite, top, 0)[:, 0])


def _softmax(x: NDArray[Any]) -> NDArray[Any]:
    sums = _logsumexp(x)[:, None]
    result: NDArray[Any] = np.exp(x - np.where(np.isfinite(sums), sums, 0))
    return result


def _embeddings(name: str, values: Any) -> NDArray[Any]:
    array = _targets.numeric("circle", name, values).astype(np.float64)
    if array.ndim != 2:
        raise ValueError(f"circle: {name} must have shape (N, C), got {array.shape}")
    return array
