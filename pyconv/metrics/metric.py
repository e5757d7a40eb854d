"""The base of every metric."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pyconv import initializers
from pyconv._names import auto_name
from pyconv.variable import Variable


class Metric:
    """A number that is gathered from batch to batch.

    A metric of one's own defines ``update_state`` and ``result``. What it keeps it makes by
    ``add_variable``, which ``reset_state`` sets to 0; or it defines ``reset_state`` too.

    Args:
        dtype: the name of a type of numbers, or a policy: kept for the configuration. Sums are of
            float64, whatever it is.
        name: the key of the metric in logs and in the history; by default the class in snake
            case, counted.

    Raises:
        ValueError: ``dtype`` is no such name.

    Example:
        >>> import numpy as np, pyconv
        >>> class LargestError(pyconv.metrics.Metric):
        ...     def __init__(self, name="largest_error", **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.largest = self.add_variable((), "zeros")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         error = np.abs(np.subtract(y_true, y_pred)).max()
        ...         self.largest.assign(np.maximum(self.largest, error))
        ...     def result(self):
        ...         return self.largest
        >>> metric = LargestError()
        >>> metric.update_state([1.0, 2.0], [1.5, 2.0])
        >>> float(metric.result())
        0.5
    """

    # Which way the metric is better, 'up' or 'down', where that is known.
    _direction: str | None = None

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        owner = type(self).__name__
        try:
            given = getattr(dtype, "compute_dtype", dtype)  # of a policy
            self._dtype = "float32" if given is None else np.dtype(given).name
        except TypeError:
            raise ValueError(f"{owner}: dtype must be such as 'float32', got {dtype!r}") from None
        self.name = name if name is not None else auto_name(owner)

    @property
    def dtype(self) -> str:
        """The name of the type that was given, or 'float32'."""
        return self._dtype

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Update the state and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take up a batch: ``(y_true, y_pred, sample_weight=None)``.

        Args:
            *args: targets, and the network's output (N, ..., C).
            **kwargs: ``sample_weight``, one number a sample (N,), or one a row.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update_state")

    def result(self) -> Any:
        """Return the metric of all batches since the last ``reset_state``."""
        raise NotImplementedError(f"{type(self).__name__} must define result")

    def reset_state(self) -> None:
        """Forget the batches so far."""
        for variable in self.variables:
            variable[...] = 0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Have a metric that defines ``reset_states``, the older name, be reset by it."""
        super().__init_subclass__(**kwargs)
        if "reset_states" in vars(cls) and "reset_state" not in vars(cls):
            above = cls.reset_state
            vars(cls)["reset_states"].above = above
            cls.reset_state = _by_older_name  # type: ignore[method-assign]

    def reset_states(self) -> None:
        """Forget the batches so far; the name of ``reset_state`` in Keras 2."""
        kept = vars(self).get("_resetting")
        (self.reset_state if kept is None else kept)()

    # --- variables ------------------------------------------------------------------------------

    @property
    def variables(self) -> list[Any]:
        """The variables that are attributes of the metric, of lists in it and of metrics in it."""
        found: dict[int, Any] = {}
        for value in vars(self).values():
            for variable in _variables_in(value):
                found[id(variable)] = variable
        return list(found.values())

    def add_variable(
        self,
        shape: Sequence[int] = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Variable:
        """Return a new variable.

        Args:
            shape: its shape.
            initializer: an initializer or its name, or the values.
            dtype: type of its values; None for float32.
            name: its name.
            **kwargs: has no effect.
        """
        if isinstance(initializer, np.ndarray):
            if initializer.shape != tuple(shape):
                raise ValueError(
                    f"{type(self).__name__}: add_variable wants initial values of shape "
                    f"{tuple(shape)}, got {initializer.shape}"
                )
            return Variable(initializer, None, dtype, trainable=False, name=name)
        function = initializers.get("zeros" if initializer is None else initializer)
        return Variable(function, tuple(shape), dtype, trainable=False, name=name)

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Return a new variable; the old name of ``add_variable``."""
        return self.add_variable(shape, initializer, dtype, name)

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """Return what ``update_state`` makes of variables; the metric's own stay as they are."""
        with self._holding(metric_variables):
            self.update_state(*args, **kwargs)
            return [variable.numpy() for variable in self.variables]

    def stateless_result(self, metric_variables: Any) -> Any:
        """Return the result of variables as ``stateless_update_state`` returns them."""
        with self._holding(metric_variables):
            return np.array(self.result())[()]

    def stateless_reset_state(self) -> list[Any]:
        """Return the variables as ``reset_state`` leaves them."""
        return [np.zeros_like(variable.value) for variable in self.variables]

    @contextlib.contextmanager
    def _holding(self, values: Any) -> Iterator[None]:
        own = self.variables
        if len(values) != len(own):
            raise ValueError(
                f"{type(self).__name__}: Argument `metric_variables` must hold {len(own)} arrays, "
                f"got {len(values)}"
            )
        kept = [variable.numpy() for variable in own]
        try:
            for variable, value in zip(own, values, strict=True):
                variable.assign(value)
            yield
        finally:
            for variable, value in zip(own, kept, strict=True):
                variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Metric":
        """Make a metric from what ``get_config`` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _by_older_name(self: Metric) -> None:
    """Reset a metric by its ``reset_states``, which may call the one of the class above."""
    own: Any = type(self).reset_states
    vars(self)["_resetting"] = own.above.__get__(self)
    try:
        own(self)
    finally:
        del vars(self)["_resetting"]


def _variables_in(value: Any) -> Iterator[Variable]:
    if isinstance(value, Variable):
        yield value
    elif isinstance(value, Metric):
        yield from value.variables
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _variables_in(item)
    elif isinstance(value, dict):
        yield from _variables_in(list(value.values()))
