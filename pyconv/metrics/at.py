"""The best of one rate where another is at least a given value."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import FLOAT_MAX, float_arg, int_arg
from pyconv._scalars import Number
from pyconv.metrics._confusion import (
    Counts,
    counts,
    divide,
    thresholds_between,
    thresholds_number,
)
from pyconv.metrics._sums import Sums


class _RateAtRate(Sums):
    """The largest of one rate over the thresholds at which another is large enough."""

    _direction = "up"
    _names = Counts._fields
    _argument = ""

    def __init__(
        self,
        value: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        owner, argument = type(self).__name__, self._argument
        value = float_arg(owner, argument, value, -FLOAT_MAX)
        if not 0 <= value <= 1:
            raise ValueError(
                f"{owner}: Argument `{argument}` must be in the range [0, 1]. Received: "
                f"{argument}={value}"
            )
        self.value = value
        self.num_thresholds = thresholds_number(owner, num_thresholds, 1)
        self.class_id = None if class_id is None else int_arg(owner, "class_id", class_id, 0)
        self.thresholds = thresholds_between(self.num_thresholds)
        self._make_sums((self.num_thresholds,))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up a batch; see ``Metric.update_state``."""
        owner, class_id = type(self).__name__, self.class_id
        self._add(counts(owner, y_true, y_pred, self.thresholds, sample_weight, class_id=class_id))

    def _rates(
        self, tp: NDArray[Any], fp: NDArray[Any], tn: NDArray[Any], fn: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return (the rate that must be large enough, the one that is wanted)."""
        raise NotImplementedError

    def result(self) -> Any:
        """Return the rate, 0 where no threshold is good enough."""
        known, wanted = self._rates(*self._sums())
        # In float32, as the value that is compared with is given in decimals.
        enough = known.astype(np.float32) >= np.float32(self.value)
        return Number(np.max(np.where(enough, wanted, 0.0), initial=0.0))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "class_id": self.class_id,
            self._argument: self.value,
        }


class SensitivityAtSpecificity(_RateAtRate):
    """The best sensitivity where the specificity is at least a value.

    Args:
        specificity: from 0 to 1.
        num_thresholds: number of thresholds, evenly spread from 0 to 1.
        class_id: counts this class alone.
        name, dtype: see ``Metric``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.SensitivityAtSpecificity(0.5)
        >>> metric([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        0.5
    """

    _argument = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def _rates(
        self, tp: NDArray[Any], fp: NDArray[Any], tn: NDArray[Any], fn: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        return divide(tn, tn + fp), divide(tp, tp + fn)


class SpecificityAtSensitivity(_RateAtRate):
    """The best specificity where the sensitivity is at least a value.

    Args:
        sensitivity: from 0 to 1.
        num_thresholds: number of thresholds, evenly spread from 0 to 1.
        class_id: counts this class alone.
        name, dtype: see ``Metric``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.SpecificityAtSensitivity(0.5)
        >>> metric([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        0.6666666666666666
    """

    _argument = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def _rates(
        self, tp: NDArray[Any], fp: NDArray[Any], tn: NDArray[Any], fn: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        return divide(tp, tp + fn), divide(tn, tn + fp)


class PrecisionAtRecall(_RateAtRate):
    """The best precision where the recall is at least a value.

    Args:
        recall: from 0 to 1.
        num_thresholds: number of thresholds, evenly spread from 0 to 1.
        class_id: counts this class alone.
        name, dtype: see ``Metric``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.PrecisionAtRecall(0.5)
        >>> metric([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        0.5
    """

    _argument = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def _rates(
        self, tp: NDArray[Any], fp: NDArray[Any], tn: NDArray[Any], fn: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        return divide(tp, tp + fn), divide(tp, tp + fp)


class RecallAtPrecision(_RateAtRate):
    """The best recall where the precision is at least a value.

    Args:
        precision: from 0 to 1.
        num_thresholds: number of thresholds, evenly spread from 0 to 1.
        class_id: counts this class alone.
        name, dtype: see ``Metric``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.RecallAtPrecision(0.5)
        >>> metric([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        1.0
    """

    _argument = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def _rates(
        self, tp: NDArray[Any], fp: NDArray[Any], tn: NDArray[Any], fn: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        return divide(tp, tp + fp), divide(tp, tp + fn)
