"""Counts of true and false positives and negatives at each of several thresholds."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._args import FLOAT_MAX, float_arg, int_arg, shown
from pyconv.losses.loss import same_rank

NEGATIVE = -1e10  # below any threshold


class Counts(NamedTuple):
    """Weights of the elements, (thresholds,) or (thresholds, labels), float64."""

    true_positives: NDArray[Any]
    false_positives: NDArray[Any]
    true_negatives: NDArray[Any]
    false_negatives: NDArray[Any]


def thresholds_arg(owner: str, value: Any, default: float) -> list[float]:
    """Return thresholds, of a number or a list of them from 0 to 1, as a list."""
    if value is None:
        return [default]
    given = list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value]
    numbers, wrong = [], []
    for threshold in given:
        number = -1.0
        if threshold is not None:
            number = float_arg(owner, "thresholds", threshold, -FLOAT_MAX)
        if 0 <= number <= 1:
            numbers.append(number)
        else:
            wrong.append(threshold)
    if wrong:
        raise ValueError(f"{owner}: Threshold values must be in [0, 1]. Received: {shown(wrong)}")
    return numbers


def thresholds_number(owner: str, value: Any, minimum: int) -> int:
    """Return a number of thresholds, ``minimum`` or more."""
    number = int_arg(owner, "num_thresholds", value, -(2**31))
    if number < minimum:
        raise ValueError(
            f"{owner}: Argument `num_thresholds` must be an integer > {minimum - 1}. Received: "
            f"num_thresholds={number}"
        )
    return number


def thresholds_between(number: int) -> list[float]:
    """Return so many thresholds from 0 to 1, or 0.5 alone."""
    return [0.5] if number == 1 else [i / (number - 1) for i in range(number)]


def evenly_spread(thresholds: Any) -> bool:
    """Whether thresholds are those of as many equal steps from 0 to 1, or a little beyond."""
    count = len(thresholds)
    steps = np.arange(count) / max(count - 1, 1)
    return count > 2 and np.allclose(np.clip(thresholds, 0, 1), steps, atol=1e-7)


def counts(
    owner: str,
    y_true: Any,
    y_pred: Any,
    thresholds: Any,
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    label_weights: Any = None,
    by_label: bool = False,
) -> Counts:
    """Count predictions above each threshold as positives, as Keras does.

    Args:
        owner: what errors name.
        y_true: labels, 0 or 1.
        y_pred: predictions of as many elements.
        thresholds: in any order.
        sample_weight: the weight of each sample, or of each element.
        top_k: only the k largest predictions of a row can be positives.
        class_id: counts this column alone.
        label_weights: the weight of each column.
        by_label: whether columns are counted apart.
    """
    p, y = same_rank(
        _targets.numeric(owner, "y_pred", y_pred).astype(np.float32),
        _targets.numeric(owner, "y_true", y_true).astype(np.float32),
    )
    if y.shape != p.shape:
        raise ValueError(
            f"{owner}: y_true and y_pred must have the same shape, got {y.shape} and {p.shape}"
        )
    weight = np.ones(()) if sample_weight is None else _weight(owner, sample_weight, p.shape)
    if top_k is not None:
        p = _only_top(p, top_k)
    if class_id is not None:
        if p.ndim < 2 or not 0 <= class_id < p.shape[-1]:
            raise ValueError(
                f"{owner}: When class_id is provided, y_pred must be a 2D array with shape "
                f"(num_samples, num_classes), found shape: {p.shape}, class_id={class_id}"
            )
        p, y = p[..., class_id, None], y[..., class_id, None]
        if weight.ndim == p.ndim and weight.shape[-1] > 1:
            weight = weight[..., class_id, None]
    if label_weights is not None:
        weight = weight * np.asarray(label_weights, np.float64)
    weights = np.broadcast_to(weight, p.shape)
    labels = y != 0
    limits = np.asarray(thresholds, np.float32)
    place = np.argsort(limits, kind="stable")
    above = _thresholds_below(p, limits[place])
    columns = p.shape[-1] if by_label else 1
    column = np.broadcast_to(np.arange(columns), p.shape) if by_label else np.zeros(p.shape, int)
    positive, negative = (
        _cumulated(above, weights * chosen, column, len(limits), columns)
        for chosen in (labels, ~labels)
    )
    tp, fp = np.empty((len(limits), columns)), np.empty((len(limits), columns))
    tp[place], fp[place] = positive[1:], negative[1:]
    found = (tp, fp, negative[0] - fp, positive[0] - tp)
    return Counts(*(array if by_label else array[:, 0] for array in found))


def divide(a: Any, b: Any) -> NDArray[Any]:
    """Return ``a / b``, 0 where ``b`` is 0."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    result = np.zeros(np.broadcast_shapes(a.shape, b.shape))
    np.divide(a, b, out=result, where=b != 0)
    return result


def _thresholds_below(p: NDArray[Any], limits: NDArray[Any]) -> NDArray[Any]:
    """Return how many of the limits, in rising order, each prediction is above."""
    above: NDArray[Any]
    if evenly_spread(limits):
        # Keras's arithmetic, whose rounding decides for predictions that are at a limit.
        steps = np.float32(len(limits) - 1)
        with np.errstate(invalid="ignore"):
            above = np.ceil(np.clip(p, 0, 1) * steps)
        above = np.maximum(above, 1) if limits[0] < 0 or limits[-1] > 1 else above
        above = np.where(np.isnan(p), 0, above).astype(np.int64)
    else:
        above = np.searchsorted(limits, np.where(np.isnan(p), -np.inf, p), side="left")
    return above


def _cumulated(
    above: NDArray[Any], weights: NDArray[Any], column: NDArray[Any], limits: int, columns: int
) -> NDArray[Any]:
    """Return (limits + 1, columns): row i is the weight of what is above at least i limits."""
    cells = (above * columns + column).reshape(-1)
    sums = np.bincount(cells, weights.reshape(-1), (limits + 1) * columns)
    return np.cumsum(sums.reshape(limits + 1, columns)[::-1], axis=0)[::-1]


def _only_top(p: NDArray[Any], k: int) -> NDArray[Any]:
    order = np.argsort(-p, axis=-1, kind="stable")[..., :k]
    kept = np.full(p.shape, np.float32(NEGATIVE))
    np.put_along_axis(kept, order, np.take_along_axis(p, order, axis=-1), axis=-1)
    return kept


def _weight(owner: str, sample_weight: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    weight = _targets.numeric(owner, "sample_weight", sample_weight).astype(np.float64)
    if 0 < weight.ndim < len(shape):
        weight = weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim))
    elif weight.ndim == len(shape) + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    try:
        np.broadcast_to(weight, shape)
    except ValueError:
        raise ValueError(
            f"{owner}: sample_weight must fit {shape}, got {np.shape(sample_weight)}"
        ) from None
    return weight
