"""Metrics of what is told right and wrong above a threshold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import int_arg
from pyconv._scalars import Number
from pyconv.metrics._confusion import NEGATIVE, counts, divide, thresholds_arg
from pyconv.metrics._sums import Sums
from pyconv.metrics.metric import Metric


class _Count(Metric):
    """One of the four counts at each threshold."""

    _which = ""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.init_thresholds = thresholds
        self.thresholds = thresholds_arg(type(self).__name__, thresholds, 0.5)
        self.accumulator = self.add_variable(
            (len(self.thresholds),), "zeros", np.float64, "accumulator"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up a batch; see ``Metric.update_state``."""
        owner = type(self).__name__
        found = counts(owner, y_true, y_pred, self.thresholds, sample_weight)
        self.accumulator += getattr(found, self._which)

    def result(self) -> Any:
        """Return the count, an array where there are several thresholds."""
        return of_thresholds(self.accumulator)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """How many labels 1 have a prediction above the threshold.

    Args:
        thresholds: a number from 0 to 1 or a list of them; None for 0.5.
        name, dtype: see ``Metric``.

    Raises:
        ValueError: a threshold is out of range, or ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.TruePositives()([0, 1, 1, 1], [1, 0, 1, 1])
        2.0
    """

    _which = "true_positives"


class TrueNegatives(_Count):
    """How many labels 0 have a prediction that is not above the threshold.

    Args:
        thresholds: a number from 0 to 1 or a list of them; None for 0.5.
        name, dtype: see ``Metric``.

    Raises:
        ValueError: a threshold is out of range, or ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.TrueNegatives()([0, 1, 0, 0], [1, 1, 0, 0])
        2.0
    """

    _which = "true_negatives"


class FalsePositives(_Count):
    """How many labels 0 have a prediction above the threshold.

    Args:
        thresholds: a number from 0 to 1 or a list of them; None for 0.5.
        name, dtype: see ``Metric``.

    Raises:
        ValueError: a threshold is out of range, or ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1])
        2.0
    """

    _which = "false_positives"


class FalseNegatives(_Count):
    """How many labels 1 have a prediction that is not above the threshold.

    Args:
        thresholds: a number from 0 to 1 or a list of them; None for 0.5.
        name, dtype: see ``Metric``.

    Raises:
        ValueError: a threshold is out of range, or ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> pyconv.metrics.FalseNegatives()([0, 1, 1, 1], [0, 1, 0, 0])
        2.0
    """

    _which = "false_negatives"


class _Share(Sums):
    """True positives as a share of those and of another count."""

    _direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        owner = type(self).__name__
        self.init_thresholds = thresholds
        self.top_k = None if top_k is None else int_arg(owner, "top_k", top_k)
        self.class_id = None if class_id is None else int_arg(owner, "class_id", class_id, 0)
        default = 0.5 if top_k is None else NEGATIVE
        self.thresholds = thresholds_arg(owner, thresholds, default)
        self._make_sums((len(self.thresholds),))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up a batch; see ``Metric.update_state``."""
        found = counts(
            type(self).__name__,
            y_true,
            y_pred,
            self.thresholds,
            sample_weight,
            self.top_k,
            self.class_id,
        )
        self._add(getattr(found, name) for name in self._names)

    def result(self) -> Any:
        """Return the share, an array where there are several thresholds."""
        hits, other = self._sums()
        return of_thresholds(divide(hits, hits + other))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_Share):
    """The share of what is predicted positive that is.

    Args:
        thresholds: predictions above it are positive: a number from 0 to 1 or a list of them;
            None for 0.5, or, with ``top_k``, for none.
        top_k: only the k largest predictions of a row can be positive.
        class_id: counts this class alone.
        name, dtype: see ``Metric``.

    Raises:
        TypeError: ``top_k`` or ``class_id`` is not an integer.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.Precision()([0, 1, 1, 1], [1, 0, 1, 1]):.4f}"
        '0.6667'
    """

    _names = ("true_positives", "false_positives")


class Recall(_Share):
    """The share of what is positive that is predicted to be.

    Args:
        thresholds: predictions above it are positive: a number from 0 to 1 or a list of them;
            None for 0.5, or, with ``top_k``, for none.
        top_k: only the k largest predictions of a row can be positive.
        class_id: counts this class alone.
        name, dtype: see ``Metric``.

    Raises:
        TypeError: ``top_k`` or ``class_id`` is not an integer.
        ValueError: an argument is out of range or not supported.

    Example:
        >>> import pyconv
        >>> f"{pyconv.metrics.Recall()([0, 1, 1, 1], [1, 0, 1, 1]):.4f}"
        '0.6667'
    """

    _names = ("true_positives", "false_negatives")


def of_thresholds(values: NDArray[Any]) -> Any:
    """Return one value as a number, several as a float32 array."""
    return Number(values[0]) if len(values) == 1 else np.array(values, np.float32)
