"""Cross-entropies that count samples less which are easy, or labels less which may be wrong."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._args import bool_arg, float_arg
from pyconv._types import Array, Shape
from pyconv.losses._axis import AxisLoss
from pyconv.losses._elements import of_elements, of_rows, smoothed
from pyconv.losses.categorical_crossentropy import EPSILON, MOST, require_classes
from pyconv.losses.loss import RowLoss, filled


class BinaryFocalCrossentropy(AxisLoss):
    """Binary cross-entropy times ``(1 - p_t)**gamma`` (Lin et al., 2017).

    ``p_t`` is the probability of the label: ``y * p + (1 - y) * (1 - p)``.

    Args:
        apply_class_balancing: whether to weight label 1 by ``alpha`` and 0 by ``1 - alpha``.
        alpha: the weight of label 1.
        gamma: how much less an easy element counts; 0 for the plain cross-entropy.
        from_logits: whether ``y_pred`` holds logits rather than probabilities.
        label_smoothing: a in [0, 1]; labels become ``y * (1 - a) + a / 2``.
        axis: the axis of the mean.
        reduction, name, dtype: see ``Loss``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> loss = pyconv.losses.BinaryFocalCrossentropy(gamma=2)
        >>> f"{loss([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]):.4f}"
        '0.2678'
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(axis, reduction, name, dtype)
        owner = "BinaryFocalCrossentropy"
        self.apply_class_balancing = bool_arg(
            type(self).__name__, "apply_class_balancing", apply_class_balancing
        )
        self.alpha = float_arg(owner, "alpha", alpha)
        self.gamma = float_arg(owner, "gamma", gamma)
        self.from_logits = bool_arg(type(self).__name__, "from_logits", from_logits)
        self.label_smoothing = float_arg(owner, "label_smoothing", label_smoothing, 0.0, 1.0)

    def _last_axis(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None
    ) -> tuple[Array, Array]:
        y = smoothed(y_true.astype(np.float64), self.label_smoothing, 2)
        z = y_pred.astype(np.float64)
        p = 0.5 * (1 + np.tanh(z / 2)) if self.from_logits else z
        kept = np.clip(p, EPSILON, MOST)
        entropy = -(y * np.log(kept) + (1 - y) * np.log1p(-kept))
        slope = np.where(p == kept, (kept - y) / (kept * (1 - kept)), 0.0)
        wrong = 1 - (y * p + (1 - y) * (1 - p))
        factor = wrong**self.gamma
        of_factor = _power_slope(wrong, self.gamma) * (1 - 2 * y)
        weight = y * self.alpha + (1 - y) * (1 - self.alpha) if self.apply_class_balancing else 1.0
        elements = weight * factor * entropy
        gradient = weight * (factor * slope + of_factor * entropy)
        if self.from_logits:
            gradient = gradient * p * (1 - p)
        return of_elements((elements, gradient), row_scale, out)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "apply_class_balancing": self.apply_class_balancing,
            "alpha": self.alpha,
            "gamma": self.gamma,
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
        }


class CategoricalFocalCrossentropy(AxisLoss):
    """``sum(-alpha * (1 - p)**gamma * y * log(p))`` of each row (Lin et al., 2017).

    Args:
        alpha: a weight, or one for each class.
        gamma: how much less an easy row counts.
        from_logits: whether ``y_pred`` holds logits rather than probabilities.
        label_smoothing: a in [0, 1]; labels become ``y * (1 - a) + a / C``.
        axis: the axis of the classes.
        reduction, name, dtype: see ``Loss``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> loss = pyconv.losses.CategoricalFocalCrossentropy()
        >>> f"{loss([[0, 1, 0], [0, 0, 1]], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]):.4f}"
        '0.2332'
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(axis, reduction, name, dtype)
        owner = "CategoricalFocalCrossentropy"
        self.alpha: Any = (
            [float_arg(owner, "alpha", value) for value in alpha]
            if isinstance(alpha, (list, tuple, np.ndarray))
            else float_arg(owner, "alpha", alpha)
        )
        self.gamma = float_arg(owner, "gamma", gamma)
        self.from_logits = bool_arg(type(self).__name__, "from_logits", from_logits)
        self.label_smoothing = float_arg(owner, "label_smoothing", label_smoothing, 0.0, 1.0)

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return ``y`` checked to be of the output's shape."""
        self._require_axis(owner, output_shape)
        require_classes(owner, "CategoricalFocalCrossentropy", output_shape, self.axis)
        classes = output_shape[self.axis]
        if isinstance(self.alpha, list) and classes not in (None, len(self.alpha)):
            raise ValueError(
                f"{owner}: alpha must be a number or {classes} numbers, one a class, got "
                f"{len(self.alpha)}"
            )
        return super().check_targets(y, output_shape, owner)

    def _last_axis(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None
    ) -> tuple[Array, Array]:
        y = smoothed(y_true.astype(np.float64), self.label_smoothing, y_pred.shape[-1])
        p = y_pred.astype(np.float64)
        if self.from_logits:
            p = np.exp(p - p.max(axis=-1, keepdims=True))
        with np.errstate(divide="ignore", invalid="ignore"):
            total = p.sum(axis=-1, keepdims=True)
            q = p / total
        kept = np.clip(q, EPSILON, MOST)
        factor = np.asarray(self.alpha) * (1 - kept) ** self.gamma
        rows = -(factor * y * np.log(kept)).sum(axis=-1)
        slope = np.asarray(self.alpha) * _power_slope(1 - kept, self.gamma) * y * np.log(kept)
        dq = np.where(q == kept, slope - factor * y / kept, 0.0)
        # By p, of which q is the share; by the logits, of which q is the softmax.
        gradient = dq - (dq * q).sum(axis=-1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            gradient = gradient * q if self.from_logits else gradient / total
        return of_rows((rows, gradient), row_scale, out)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "gamma": self.gamma,
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
        }


class CategoricalGeneralizedCrossEntropy(RowLoss):
    """``(1 - p**q) / q`` of the label's probability ``p`` (Zhang and Sabuncu, 2018).

    Between the cross-entropy (``q`` near 0) and the absolute error (near 1), which wrong labels
    disturb less.

    Args:
        q: above 0, below 1.
        reduction, name, dtype: see ``Loss``.

    Raises:
        TypeError: ``q`` is not a number.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.losses.CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]):.4f}"
        '1.0000'
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.q = float_arg("CategoricalGeneralizedCrossEntropy", "q", q)
        if not 0 < self.q < 1:
            raise ValueError(
                "CategoricalGeneralizedCrossEntropy: q must be in the interval (0, 1), got "
                f"{self.q:g}"
            )

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return ``y`` as int64 class numbers, checked to be those of an output."""
        return _targets.class_numbers(owner, y, output_shape)

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        own = np.take_along_axis(y_pred.astype(np.float64), y_true[..., None], axis=-1)
        grad = filled(out, y_pred.shape, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = -(own ** (self.q - 1)) * row_scale[..., None]
            rows: NDArray[Any] = (1 - own**self.q) / self.q
        np.put_along_axis(grad, y_true[..., None], slope.astype(np.float32), axis=-1)
        return np.asarray(rows[..., 0], np.float32), grad

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "q": self.q}


def _power_slope(base: NDArray[Any], exponent: float) -> NDArray[Any]:
    """Return the derivative of ``base**exponent``, by which what is focused on changes."""
    if exponent == 0:
        return np.zeros_like(base)
    with np.errstate(divide="ignore"):
        return np.asarray(exponent * np.maximum(base, 0) ** (exponent - 1))
