"""The base of every metric, and running means."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets


class Metric:
    """A number that is gathered from batch to batch.

    A metric of one's own defines ``update_state``, ``result`` and ``reset_state``.

    Args:
        name: the key of the metric in logs and in the history.
        dtype: None or 'float32'.

    Raises:
        ValueError: ``dtype`` is neither.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.SparseCategoricalAccuracy()
        >>> metric.update_state([1, 0], [[0.1, 0.9], [0.2, 0.8]])
        >>> metric.result()
        0.5
    """

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        if dtype is not None and dtype != "float32":
            raise ValueError(
                f"{type(self).__name__}: dtype must be None or 'float32', got {dtype!r}"
            )
        self.name = name if name is not None else type(self).__name__

    def __call__(self, *args: Any, **kwargs: Any) -> float:
        """Update the state and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up a batch.

        Args:
            y_true: targets.
            y_pred: the network's output (N, ..., C).
            sample_weight: one number a sample (N,), or one a row.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update_state")

    def result(self) -> float:
        """Return the metric of all batches since the last ``reset_state``."""
        raise NotImplementedError(f"{type(self).__name__} must define result")

    def reset_state(self) -> None:
        """Forget the batches so far."""
        raise NotImplementedError(f"{type(self).__name__} must define reset_state")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Metric":
        """Make a metric from what ``get_config`` gave."""
        return cls(**config)


class Mean(Metric):
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

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.reset_state()

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take up values, of any shape, and the weight of each (or of each along the first axis).

        Raises:
            TypeError: an array does not hold numbers.
            ValueError: ``sample_weight`` does not fit.
        """
        array = _targets.numeric(self.name, "values", values)
        if sample_weight is None:
            self._total += float(array.sum(dtype=np.float64))
            self._count += array.size
            return
        weight = _targets.numeric(self.name, "sample_weight", sample_weight)
        if weight.ndim < array.ndim:
            weight = weight.reshape(weight.shape + (1,) * (array.ndim - weight.ndim))
        try:
            weight = np.broadcast_to(weight, array.shape)
        except ValueError:
            raise ValueError(
                f"{self.name}: sample_weight must fit values of shape {array.shape}, got shape "
                f"{np.shape(sample_weight)}"
            ) from None
        self._total += float(np.multiply(array, weight, dtype=np.float64).sum())
        self._count += float(weight.sum(dtype=np.float64))

    def result(self) -> float:
        """Return the mean; 0.0 where nothing was taken up."""
        return self._total / self._count if self._count else 0.0

    def reset_state(self) -> None:
        """Forget all values."""
        self._total = 0.0
        self._count: float = 0


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
        rows: NDArray[Any] = np.asarray(self._fn(y_true, y_pred, **self._kwargs))
        super().update_state(rows, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, without the function."""
        return {**super().get_config(), **self._kwargs}
