"""What training keeps weights to: each is applied to a weight after the optimizer's step.

Layers take them as ``kernel_constraint`` and ``bias_constraint``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyconv import _registry
from pyconv._args import float_arg, int_arg
from pyconv._names import snake_case
from pyconv._types import Array

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

_EPSILON = np.float32(1e-7)


class Constraint:
    """Base of all constraints; one of your own defines ``__call__``.

    Example:
        >>> import numpy as np, pyconv
        >>> class AtMostOne(pyconv.constraints.Constraint):
        ...     def __call__(self, w):
        ...         return np.minimum(w, 1)
        >>> AtMostOne()(np.array([0.5, 2.0]))
        array([0.5, 1. ])
    """

    def __call__(self, w: Any) -> Any:
        """Return the weight as it may be."""
        return w

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Constraint":
        """Return the constraint that ``get_config`` described."""
        return cls(**config)


class _Norm(Constraint):
    """A constraint on the norms along ``axis``: 0 for the units of a Dense layer."""

    def __init__(self, axis: Any) -> None:
        self.axis = axis  # as given, for its config
        given = axis if isinstance(axis, (tuple, list)) else [axis]
        self._axes = (
            None
            if axis is None
            else tuple(int_arg(type(self).__name__, "axis", one, -64, 63) for one in given)
        )

    def __call__(self, w: Any) -> Any:
        weights = np.asarray(w, np.float32)
        if not all(-weights.ndim <= axis < weights.ndim for axis in self._axes or ()):
            raise ValueError(
                f"{type(self).__name__}: axis must be axes of the weight, {weights.shape}, got "
                f"{self.axis}"
            )
        norms = np.sqrt(np.square(weights).sum(axis=self._axes, keepdims=True))
        return weights * (self._wanted(norms) / (_EPSILON + norms))

    def _wanted(self, norms: Array) -> Array:
        raise NotImplementedError


class MaxNorm(_Norm):
    """Norms of at most ``max_value``.

    Args:
        max_value: the largest norm.
        axis: the axis or the axes that a norm is over: 0 for the units of ``Dense``,
            ``[0, 1, 2]`` for the filters of ``Conv2D``.

    Raises:
        TypeError, ValueError: an argument is not a number, or axis, of this kind; or, when it is
            called, the weight has no such axis.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.constraints.MaxNorm(1.0)(np.array([[3.0, 0.3], [4.0, 0.4]])).round(3)
        array([[0.6, 0.3],
               [0.8, 0.4]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        float_arg("MaxNorm", "max_value", max_value)
        self.max_value = max_value  # as given, for its config
        super().__init__(axis)

    def _wanted(self, norms: Array) -> Array:
        return np.clip(norms, 0, self.max_value)

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """No weight below 0.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.constraints.NonNeg()(np.array([-1.0, 2.0], "float32"))
        array([0., 2.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        return np.maximum(np.asarray(w, np.float32), np.float32(0))


class UnitNorm(_Norm):
    """Norms of 1.

    Args:
        axis: as for ``MaxNorm``.

    Raises:
        TypeError, ValueError: an argument is not a number, or axis, of this kind; or, when it is
            called, the weight has no such axis.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.constraints.UnitNorm()(np.array([[3.0], [4.0]])).round(3)
        array([[0.6],
               [0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = 0) -> None:
        super().__init__(axis)

    def _wanted(self, norms: Array) -> Array:
        return np.ones(norms.shape, np.float32)

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(_Norm):
    """Norms from ``min_value`` to ``max_value``.

    Args:
        min_value: the smallest norm.
        max_value: the largest norm.
        rate: how much of the way a step goes: 1 all of it.
        axis: as for ``MaxNorm``.

    Raises:
        TypeError, ValueError: an argument is not a number, or axis, of this kind; or, when it is
            called, the weight has no such axis.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.constraints.MinMaxNorm(1.0, 2.0, rate=0.5)(np.array([[3.0], [4.0]])).round(3)
        array([[2.1],
               [2.8]], dtype=float32)
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        owner = "MinMaxNorm"
        self.min_value = float_arg(owner, "min_value", min_value)
        self.max_value = float_arg(owner, "max_value", max_value)
        if self.min_value > self.max_value:
            raise ValueError(
                f"{owner}: min_value must be at most max_value, got {min_value} and {max_value}"
            )
        self.rate = float_arg(owner, "rate", rate)
        super().__init__(axis)

    def _wanted(self, norms: Array) -> Array:
        within = np.clip(norms, self.min_value, self.max_value)
        wanted: Array = np.float32(self.rate) * within + np.float32(1 - self.rate) * norms
        return wanted

    def get_config(self) -> dict[str, Any]:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm

_CLASSES: dict[str, type[Constraint]] = {
    name: found
    for found in (MaxNorm, NonNeg, UnitNorm, MinMaxNorm)
    for name in (found.__name__.lower(), snake_case(found.__name__))
}


def get(identifier: Any) -> Any:
    """Return the constraint that ``identifier`` means.

    Args:
        identifier: None, a ``Constraint``, its class, a name such as ``"non_neg"``, a function of
            a weight, or what ``serialize`` returned.

    Raises:
        ValueError: no constraint has this name.
        TypeError: ``identifier`` is none of the above.

    Example:
        >>> import pyconv
        >>> pyconv.constraints.get("max_norm").get_config()
        {'max_value': 2, 'axis': 0}
    """
    return find("constraints.get", "identifier", identifier)


def find(owner: str, name: str, identifier: Any) -> Any:
    """Return the constraint that ``identifier`` means; errors name ``owner`` and ``name``."""
    if callable(identifier) and not isinstance(identifier, (type, Constraint)):
        return identifier
    return _registry.find_object(owner, name, identifier, Constraint, _CLASSES, "'non_neg'")


def serialize(constraint: Constraint | None) -> dict[str, Any] | None:
    """Return the constraint as plain data, which ``get`` takes.

    Example:
        >>> import pyconv
        >>> pyconv.constraints.serialize(pyconv.constraints.UnitNorm())
        {'class_name': 'UnitNorm', 'config': {'axis': 0}}
    """
    return None if constraint is None else _registry.to_config(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return a constraint of what ``serialize`` returned.

    Args:
        config: ``{"class_name": ..., "config": {...}}``, a name, or None.
        custom_objects: your own classes by name.

    Raises:
        ValueError: the class is not known, or the configuration does not fit.

    Example:
        >>> import pyconv
        >>> pyconv.constraints.deserialize({"class_name": "MaxNorm", "config": {}}).max_value
        2
    """
    known = _registry.with_custom(_CLASSES, custom_objects)
    return _registry.find_object(
        "constraints.deserialize", "config", config, Constraint, known, "'non_neg'"
    )
