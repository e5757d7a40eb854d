"""Penalties on weights and on results, which training adds to the loss, as Keras has them.

Layers take them as ``kernel_regularizer``, ``bias_regularizer`` and ``activity_regularizer``.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pyconv import _registry
from pyconv._args import float_arg, is_one_of
from pyconv._names import snake_case
from pyconv._types import Array

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


class Regularizer:
    """Base of all regularizers; one of your own defines ``__call__`` and ``gradient``.

    Example:
        >>> import numpy as np, pyconv
        >>> class Quartic(pyconv.regularizers.Regularizer):
        ...     def __call__(self, x):
        ...         return float(np.sum(x**4))
        ...     def gradient(self, x):
        ...         return 4 * x**3
        >>> layer = pyconv.layers.Dense(1, kernel_regularizer=Quartic(), kernel_initializer="ones")
        >>> y = layer(np.ones((1, 3)))
        >>> layer.losses
        [3.0]
    """

    def __call__(self, x: Any) -> float:
        """Return the penalty of an array."""
        return 0.0

    def gradient(self, x: Array) -> Array:
        """Return the gradient of the penalty, of the shape of ``x``.

        Under ``pyconv.compat`` it follows from the functions in ``__call__``.
        """
        if _derive is None:
            raise NotImplementedError(
                f"{type(self).__name__} must define gradient(x), so that training can lower it"
            )
        return np.asarray(_derive(self, x), np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        raise NotImplementedError(f"{self} does not implement get_config()")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Regularizer":
        """Return the regularizer that ``get_config`` described."""
        return cls(**config)


# The gradient of a penalty at an array, where derivatives of functions are known.
_derive: Callable[[Any, Array], Any] | None = None


def derive_with(function: Callable[[Any, Array], Any]) -> None:
    """Take gradients by ``function(penalty, x)`` where a penalty does not define them."""
    global _derive
    _derive = function


class FunctionRegularizer(Regularizer):
    """A function of the user's own as a penalty."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, x: Any) -> Any:
        return self.function(x)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"regularizer {getattr(self.function, '__name__', 'function')!r}: a function cannot be "
            "written to a file; make it a Regularizer with a get_config"
        )


class L1L2(Regularizer):
    """``l1 * sum(|x|) + l2 * sum(x**2)``.

    Args:
        l1: factor of the sum of magnitudes; None for 0.
        l2: factor of the sum of squares; None for 0.

    Raises:
        TypeError: a factor is not a number.
        ValueError: it is negative or not finite.

    Example:
        >>> import pyconv
        >>> pyconv.regularizers.L1L2(l1=1.0, l2=0.5)([-2.0, 2.0])
        8.0
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        owner = type(self).__name__
        self.l1 = float_arg(owner, "l1", 0.0 if l1 is None else l1)
        self.l2 = float_arg(owner, "l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> float:
        values = np.asarray(x, np.float32)
        penalty = 0.0
        if self.l1:
            penalty += self.l1 * float(np.abs(values).sum(dtype=np.float64))
        if self.l2:
            flat = values.reshape(-1)
            penalty += self.l2 * float(np.square(flat, dtype=np.float64).sum())
        return penalty

    def gradient(self, x: Array) -> Array:
        slope: Array = np.float32(2 * self.l2) * x
        if self.l1:
            slope += np.float32(self.l1) * np.sign(x)
        return slope

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """``l1 * sum(|x|)``, after Tibshirani's lasso, 1996.

    Args:
        l1: the factor; None for 0.01.

    Raises:
        TypeError: ``l1`` is not a number.
        ValueError: it is negative or not finite.

    Example:
        >>> import pyconv
        >>> pyconv.regularizers.L1(0.5)([-2.0, 2.0])
        2.0
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        super().__init__(0.01 if l1 is None else l1)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(L1L2):
    """``l2 * sum(x**2)``, without a factor of one half.

    Args:
        l2: the factor; None for 0.01.

    Raises:
        TypeError: ``l2`` is not a number.
        ValueError: it is negative or not finite.

    Example:
        >>> import pyconv
        >>> pyconv.regularizers.L2(0.5)([-2.0, 2.0])
        4.0
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        super().__init__(0.0, 0.01 if l2 is None else l2)

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """``factor`` times the mean magnitude of the cosines between the rows of a matrix.

    Args:
        factor: the factor.
        mode: ``"rows"``, or ``"columns"`` for those between columns.

    Raises:
        TypeError: ``factor`` is not a number.
        ValueError: ``mode`` is another, or, when it is called, the array is not a matrix.

    Example:
        >>> import pyconv
        >>> pyconv.regularizers.OrthogonalRegularizer(1.0)([[1.0, 0.0], [0.0, 3.0]])
        0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = float_arg("OrthogonalRegularizer", "factor", factor)
        if not is_one_of(mode, ("rows", "columns")):
            raise ValueError(
                'Invalid value for argument `mode`. Expected one of {"rows", "columns"}. Received: '
                f"mode={mode!s:.60}"
            )
        self.mode = mode

    def __call__(self, x: Any) -> float:
        _, _, cosines = self._unit_rows(x)
        return float(self._scale(len(cosines)) * np.abs(cosines).sum())

    def gradient(self, x: Array) -> Array:
        unit, norms, cosines = self._unit_rows(x)
        slope = 2 * self._scale(len(cosines)) * (np.sign(cosines) @ unit)
        # Through the division by the norm: what is along a row does not change its direction.
        slope -= unit * (slope * unit).sum(axis=1, keepdims=True)
        slope /= norms
        return np.asarray(slope if self.mode == "rows" else slope.T, np.float32)

    def _scale(self, rows: int) -> float:
        return self.factor / (rows * (rows - 1.0)) if rows > 1 else 0.0

    def _unit_rows(self, x: Any) -> tuple[Any, Any, Any]:
        matrix = np.asarray(x, np.float64)
        if matrix.ndim != 2:
            raise ValueError(
                "Inputs to OrthogonalRegularizer must have rank 2. Received: "
                f"inputs.shape={matrix.shape}"
            )
        if self.mode == "columns":
            matrix = matrix.T
        norms = np.sqrt(np.maximum(np.square(matrix).sum(axis=1, keepdims=True), 1e-7))
        unit = matrix / norms
        cosines = unit @ unit.T
        np.fill_diagonal(cosines, 0)
        return unit, norms, cosines

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


l1, l2, l1_l2 = L1, L2, L1L2
orthogonal_regularizer = OrthogonalRegularizer

_ALL: tuple[type[Regularizer], ...] = (L1, L2, L1L2, OrthogonalRegularizer)
_CLASSES: dict[str, type[Regularizer]] = {
    **{found.__name__.lower(): found for found in _ALL},
    **{snake_case(found.__name__): found for found in _ALL},
    "l1_l2": L1L2,
}


def get(identifier: Any) -> Any:
    """Return the regularizer that ``identifier`` means.

    Args:
        identifier: None, a ``Regularizer``, its class, a name such as ``"l2"`` (with its default
            factor of 0.01; ``"l1_l2"`` has factors of 0), or what ``serialize`` returned.

    Raises:
        ValueError: no regularizer has this name.
        TypeError: ``identifier`` is none of the above.

    Example:
        >>> import pyconv
        >>> pyconv.regularizers.get("l2").get_config()
        {'l2': 0.01}
    """
    return find("regularizers.get", "identifier", identifier)


def find(owner: str, name: str, identifier: Any) -> Regularizer | None:
    """Return the regularizer that ``identifier`` means; errors name ``owner`` and ``name``."""
    if inspect.isroutine(identifier) and _derive is not None:
        return FunctionRegularizer(identifier)
    return _registry.find_object(owner, name, identifier, Regularizer, _CLASSES, "'l2'")


def serialize(regularizer: Regularizer | None) -> dict[str, Any] | None:
    """Return the regularizer as plain data, which ``get`` takes.

    Example:
        >>> import pyconv
        >>> pyconv.regularizers.serialize(pyconv.regularizers.L2(0.5))
        {'class_name': 'L2', 'config': {'l2': 0.5}}
    """
    return None if regularizer is None else _registry.to_config(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return a regularizer of what ``serialize`` returned.

    Args:
        config: ``{"class_name": ..., "config": {...}}``, a name, or None.
        custom_objects: your own classes by name.

    Raises:
        ValueError: the class is not known, or the configuration does not fit.

    Example:
        >>> import pyconv
        >>> pyconv.regularizers.deserialize({"class_name": "L1", "config": {"l1": 2.0}}).l1
        2.0
    """
    known = _registry.with_custom(_CLASSES, custom_objects)
    return _registry.find_object(
        "regularizers.deserialize", "config", config, Regularizer, known, "'l2'"
    )
