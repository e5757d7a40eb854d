"""The base class of initializers, and the checks of their arguments."""

import inspect
import math
from typing import Any

import numpy as np

from pyconv._args import ArgumentTypeError, int_arg, is_one_of
from pyconv._types import Array


class Initializer:
    """Base of all initializers; a subclass implements ``__call__`` and ``get_config``.

    Example:
        >>> import numpy as np, pyconv
        >>> class Diagonal(pyconv.initializers.Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return np.eye(*shape, dtype="float32")
        >>> pyconv.layers.Dense(2, kernel_initializer=Diagonal())([[3.0, 4.0]])
        array([[3., 4.]], dtype=float32)
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        """Return a float32 array of ``shape``."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Initializer":
        """Return the initializer that ``get_config`` described."""
        return cls(**config)

    def clone(self) -> "Initializer":
        """Return another initializer of the same configuration."""
        return self.from_config(self.get_config())

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class FromFunction(Initializer):
    """An initializer that asks a function of the user's own: ``fn(shape)`` or with a dtype."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self._takes_dtype = "dtype" in inspect.signature(function).parameters

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        options = {"dtype": "float32"} if self._takes_dtype else {}
        values = self.function(shape, **options)
        return np.asarray(values, np.float32)

    def get_config(self) -> dict[str, Any]:
        raise ValueError(
            f"initializer {self.function!r:.60}: a function is no plain data; make it a class of "
            "Initializer to save it"
        )

    def __repr__(self) -> str:
        return f"FromFunction({self.function!r:.60})"


def shape_of(initializer: Initializer, shape: tuple[int, ...], dtype: Any) -> tuple[int, ...]:
    """Return ``shape`` as a tuple of integers."""
    name = type(initializer).__name__
    if dtype is not None and np.dtype(dtype) != np.float32:
        raise ValueError(f"{name}: dtype must be None or 'float32', got {dtype!r}")
    if not isinstance(shape, (tuple, list)):
        raise ArgumentTypeError(f"{name}: shape must be a tuple, got a {type(shape).__name__}")
    return tuple(int_arg(name, f"shape[{i}]", n, 0) for i, n in enumerate(shape))


def number(initializer: Initializer, name: str, value: Any, minimum: float | None = None) -> float:
    """Return ``value`` as a finite float."""
    owner = type(initializer).__name__
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ArgumentTypeError(f"{owner}: {name} must be a number, got a {type(value).__name__}")
    result = float(value) if abs(value) < 1e30 else math.inf
    if not math.isfinite(result):
        raise ValueError(f"{owner}: {name} must be finite and below 1e30, got {value}")
    if minimum is not None and result < minimum:
        raise ValueError(f"{owner}: {name} must be at least {minimum}, got {value}")
    return result


def one_of(initializer: Initializer, name: str, value: Any, choices: tuple[str, ...]) -> str:
    """Return ``value`` where it is one of ``choices``."""
    if not is_one_of(value, choices):
        raise ValueError(
            f"{type(initializer).__name__}: {name} must be one of {', '.join(choices)}, "
            f"got {value!r}. Invalid `{name}` argument: {value!r}"
        )
    return str(value)
