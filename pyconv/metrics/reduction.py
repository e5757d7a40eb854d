"""Running sums and means."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._scalars import Number
from pyconv.losses.loss import fitted, same_rank
from pyconv.metrics.metric import Metric
from pyconv.variable import Variable


class _Running(Metric):
    """A metric whose state is a few numbers."""

    _names: tuple[str, ...] = ("total",)

    def __init__(self, name: str | None, dtype: Any) -> None:
        super().__init__(dtype, name)
        self._state = np.zeros(len(self._names))

    @property
    def variables(self) -> list[Any]:
        """The numbers."""
        views = [self._state[i : i + 1].reshape(()).view(Variable) for i in range(len(self._state))]
        for view, name in zip(views, self._names, strict=True):
            view.name = name
        return views

    def _add(self, *terms: float) -> None:
        # As Python's numbers, of which infinite ones need no warning.
        self._state[:] = [old + term for old, term in zip(self._state.tolist(), terms, strict=True)]


class Sum(_Running):
    """The (weighted) sum of all values given.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> total = pyconv.metrics.Sum()
        >>> total.update_state([1.0, 3.0])
        >>> total.update_state(5.0, sample_weight=2.0)
        >>> total.result()
        14.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take up values, of any shape, and the weight of each (or of each along the first axis).

        Raises:
            TypeError: an array does not hold numbers.
            ValueError: ``sample_weight`` does not fit.
        """
        array = _targets.numeric(self.name, "values", values)
        if sample_weight is not None:
            array, _ = _weighted(self.name, array, sample_weight, np.sum)
        self._add(float(array.sum(dtype=np.float64)))

    def result(self) -> Any:
        """Return the sum."""
        return Number(self._state[0])


class Mean(_Running):
    """The (weighted) mean of all values given.

    Args:
        name, dtype: see ``Metric``.

    Raises:
        ValueError: ``dtype`` is not supported.

    Example:
        >>> import pyconv
        >>> mean = pyconv.metrics.Mean()
        >>> mean.update_state([1.0, 3.0])
        >>> mean.update_state(5.0, sample_weight=2.0)
        >>> mean.result()
        3.5
    """

    _names = ("total", "count")

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    @property
    def total(self) -> Number:
        """The weighted sum of the means of the samples."""
        return Number(self._state[0])

    @property
    def count(self) -> Number:
        """The sum of the weights."""
        return Number(self._state[1])

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take up values, of any shape, and the weight of each (or of each along the first axis).

        Values beyond the first axis are averaged: each sample counts as one.

        Raises:
            TypeError: an array does not hold numbers.
            ValueError: ``sample_weight`` does not fit.
        """
        array = _targets.numeric(self.name, "values", values)
        if sample_weight is None:
            samples = array.shape[0] if array.ndim else 1
            total = float(array.sum(dtype=np.float64)) * samples / max(array.size, 1)
            self._add(total, samples)
            return
        weighted, weight = _weighted(self.name, array, sample_weight, np.mean)
        self._add(float(weighted.sum(dtype=np.float64)), float(weight.sum(dtype=np.float64)))

    def result(self) -> Any:
        """Return the mean; 0.0 where nothing was taken up."""
        total, count = self._state.tolist()
        return Number(total / count if count else 0.0)


class MeanMetricWrapper(Mean):
    """The mean, over all rows, of what a function gives for each row.

    Args:
        fn: ``fn(y_true, y_pred, **kwargs)``, which returns one number a row, or one in all.
        name, dtype: see ``Metric``.
        **kwargs: passed on to ``fn``.

    Raises:
        TypeError: ``fn`` is not callable.
        ValueError: ``dtype`` is not supported.

    Example:
        >>> import numpy as np, pyconv
        >>> def worst(y_true, y_pred):
        ...     return np.abs(y_true - y_pred).max(axis=-1)
        >>> metric = pyconv.metrics.MeanMetricWrapper(worst)
        >>> metric.update_state(np.zeros((2, 2)), np.array([[1.0, 3.0], [0.0, 1.0]]))
        >>> metric.name, metric.result()
        ('worst', 2.0)
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        if not callable(fn):
            raise TypeError(f"{type(self).__name__}: fn must be callable, got {fn!r}")
        super().__init__(name if name is not None else getattr(fn, "__name__", "metric"), dtype)
        self._fn = fn
        self._kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take up a batch; see ``Metric.update_state``."""
        rows, mask = self.rows(y_true, y_pred), getattr(y_pred, "_keras_mask", None)
        if mask is not None:  # which outputs of Keras's layers carry
            counts = fitted(self.name, mask, np.shape(y_pred)[: np.ndim(mask)])
            sample_weight = weights_of_counted(counts, sample_weight)
        super().update_state(rows, sample_weight)

    def rows(self, y_true: Any, y_pred: Any) -> NDArray[Any]:
        """Return what the function gives."""
        return np.asarray(self._fn(y_true, y_pred, **self._kwargs))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"fn": self._fn} if type(self) is MeanMetricWrapper else {}
        return {**super().get_config(), **own, **self._kwargs}


def weights_of_counted(counts: NDArray[np.bool_], weight: Any) -> NDArray[Any]:
    """Return the weights of rows, 0 for those that do not count."""
    if weight is None:
        return counts.astype(np.float32)
    given = np.asarray(weight)
    wide: NDArray[Any] = counts * given.reshape(given.shape + (1,) * (counts.ndim - given.ndim))
    return wide


def _weighted(
    owner: str, values: NDArray[Any], sample_weight: Any, reduce: Callable[..., Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (weighted values of the samples, weights of the samples), as Keras reduces them."""
    weight = _targets.numeric(owner, "sample_weight", sample_weight).astype(np.float64)
    shape = values.shape
    values, weight = same_rank(values.astype(np.float64), weight)
    if values.ndim > weight.ndim:
        values = reduce(values, axis=tuple(range(weight.ndim, values.ndim)))
    try:
        weight = np.broadcast_to(weight, values.shape)
    except ValueError:
        raise ValueError(
            f"{owner}: sample_weight must fit values of shape {shape}, got shape "
            f"{np.shape(sample_weight)}"
        ) from None
    weighted, axes = values * weight, tuple(range(1, weight.ndim))
    return (reduce(weighted, axis=axes), reduce(weight, axis=axes)) if axes else (weighted, weight)
