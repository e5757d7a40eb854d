"""Metrics of the trade between one kind of error and the other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import bool_arg, float_arg, int_arg
from pyconv._convert import float32_array
from pyconv._scalars import Number
from pyconv._targets import require_finite
from pyconv.metrics._confusion import (
    Counts,
    counts,
    divide,
    thresholds_between,
    thresholds_number,
)
from pyconv.metrics._sums import Sums

_EPSILON = 1e-7


class AUC(Sums):
    """The area under a curve of two rates, each at many thresholds.

    Args:
        num_thresholds: number of thresholds, evenly spread from 0 to 1; above 1.
        curve: 'ROC' (true positives over false ones), 'PR' (precision over recall) or 'PRGAIN'.
        summation_method: 'interpolation' (trapezoids; for 'PR' as Davis and Goadrich, 2006),
            'majoring' or 'minoring'.
        name, dtype: see ``Metric``.
        thresholds: the thresholds between 0 and 1 themselves.
        multi_label: whether to take the area of each label apart, and the mean of them.
        num_labels: number of labels, with ``multi_label``.
        label_weights: the weight of each label.
        from_logits: whether predictions are logits.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range, unknown or not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
        0.75
    """

    _direction = "up"
    _names = Counts._fields

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        self.curve = _one_of("curve", curve, ("ROC", "PR", "PRGAIN"), str.upper)
        methods = ("interpolation", "majoring", "minoring")
        self.summation_method = _one_of("summation method", summation_method, methods, str.lower)
        if thresholds is None:
            self.num_thresholds = thresholds_number("AUC", num_thresholds, 2)
            inner = thresholds_between(self.num_thresholds)[1:-1]
        else:
            if not isinstance(thresholds, (list, tuple, np.ndarray)):
                raise TypeError(
                    f"AUC: thresholds must be a list of numbers, got {thresholds!r:.60}"
                )
            inner = sorted(float_arg("AUC", "thresholds", t, 0.0, 1.0) for t in thresholds)
            self.num_thresholds = len(inner) + 2
        self._are_given = thresholds is not None
        self._thresholds = [-_EPSILON, *inner, 1 + _EPSILON]
        self.multi_label = bool_arg(type(self).__name__, "multi_label", multi_label)
        self.num_labels = None if num_labels is None else int_arg("AUC", "num_labels", num_labels)
        if num_labels is not None and not multi_label:
            raise ValueError("AUC: `num_labels` is needed only when `multi_label` is True.")
        self.label_weights = None if label_weights is None else _weights(label_weights)
        self.from_logits = bool_arg(type(self).__name__, "from_logits", from_logits)
        if not multi_label or num_labels:
            self._build(self.num_labels)

    @property
    def thresholds(self) -> list[float]:
        """All thresholds: the ends lie beyond 0 and 1."""
        return list(self._thresholds)

    def _build(self, labels: int | None) -> None:
        columns = () if labels is None else (labels,)
        self._make_sums((self.num_thresholds, *columns))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up a batch; see ``Metric.update_state``."""
        if self.multi_label and not self.variables:
            if np.ndim(y_pred) != 2:
                raise ValueError(
                    "AUC: `y_pred` must have rank 2 when `multi_label=True`. Found rank "
                    f"{np.ndim(y_pred)}. Full shape received for `y_pred`: {np.shape(y_pred)}"
                )
            self._build(np.shape(y_pred)[1])
        if self.from_logits:
            y_pred = 0.5 * (1 + np.tanh(np.asarray(y_pred, np.float64) / 2))
        found = counts(
            "AUC",
            y_true,
            y_pred,
            self._thresholds,
            sample_weight,
            label_weights=None if self.multi_label else self.label_weights,
            by_label=self.multi_label,
        )
        self._add(found)

    def result(self) -> Any:
        """Return the area."""
        if not self.variables:
            return Number(0.0)
        tp, fp, tn, fn = self._sums()
        if self.curve == "PR" and self.summation_method == "interpolation":
            pieces = _interpolated(tp, fp, fn)
        else:
            x, y = self._rates(tp, fp, tn, fn)
            heights = {
                "interpolation": (y[:-1] + y[1:]) / 2,
                "majoring": np.maximum(y[:-1], y[1:]),
                "minoring": np.minimum(y[:-1], y[1:]),
            }[self.summation_method]
            pieces = (x[:-1] - x[1:]) * heights
        areas = pieces.sum(axis=0)
        if self.multi_label and self.label_weights is not None:
            return Number(divide((areas * self.label_weights).sum(), self.label_weights.sum()))
        return Number(np.mean(areas))

    def _rates(
        self, tp: NDArray[Any], fp: NDArray[Any], tn: NDArray[Any], fn: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        recall = divide(tp, tp + fn)
        if self.curve == "ROC":
            return divide(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, divide(tp, tp + fp)
        # Precision and recall on the scale on which a random guess is 0 (Flach and Kull, 2015).
        factor = divide(tp + fn, tn + fp)
        recall_gain = np.where(tp == 0, 0.0, 1 - factor * divide(fn, tp))
        return np.maximum(recall_gain, 0.0), np.where(tp == 0, 1.0, 1 - factor * divide(fp, tp))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        weights = self.label_weights
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if weights is None else weights.tolist(),
            "from_logits": self.from_logits,
        }
        if self._are_given:
            config["thresholds"] = self._thresholds[1:-1]
        return config


def _weights(value: Any) -> NDArray[Any]:
    """Return weights of labels (C,)."""
    weights = float32_array("AUC", "label_weights", value)
    require_finite("AUC", "label_weights", weights)
    if weights.ndim != 1 or not weights.size:
        raise ValueError(
            f"AUC: label_weights must hold one number a label, (C,), got shape {weights.shape}"
        )
    return weights


def _one_of(name: str, value: Any, known: tuple[str, ...], normal: Any) -> str:
    found = normal(value) if isinstance(value, str) else value
    if not isinstance(found, str) or found not in known:
        raise ValueError(
            f'Invalid AUC {name} value: "{value}". Expected values are {", ".join(known)}'
        )
    return str(found)


def _interpolated(tp: NDArray[Any], fp: NDArray[Any], fn: NDArray[Any]) -> NDArray[Any]:
    """Return the areas between thresholds, true positives linear in all positives between them."""
    positives = tp + fp
    before, after = positives[:-1], positives[1:]
    gained = tp[:-1] - tp[1:]
    slope = divide(gained, np.maximum(before - after, 0))
    intercept = tp[1:] - slope * after
    both = (before > 0) & (after > 0)
    ratio = np.where(both, divide(before, after), 1.0)
    return divide(slope * (gained + intercept * np.log(ratio)), np.maximum(tp[1:] + fn[1:], 0))
