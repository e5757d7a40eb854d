"""Activation functions made of pieces of lines and parabolas."""

from typing import Any

import numpy as np

from pyconv._types import Array
from pyconv.activations.elementwise import _sigmoid, _softplus
from pyconv.activations.function import Elementwise
from pyconv.layers._arguments import number_arg

_ONE = np.float32(1)


class HardTanh(Elementwise):
    """x, kept from -1 to 1.

    Example:
        >>> import pyconv
        >>> pyconv.activations.hard_tanh([-3.0, 0.5])
        array([-1. ,  0.5], dtype=float32)
    """

    name = "hard_tanh"

    def value(self, x: Array) -> Any:
        return np.clip(x, -1, 1)

    def slope(self, x: Array) -> Any:
        return (np.abs(x) < 1).astype(np.float32)


class TanhShrink(Elementwise):
    """x - tanh(x).

    Example:
        >>> import pyconv
        >>> pyconv.activations.tanh_shrink([1.0]).round(3)
        array([0.238], dtype=float32)
    """

    name = "tanh_shrink"

    def value(self, x: Array) -> Any:
        return x - np.tanh(x)

    def slope(self, x: Array) -> Any:
        return np.square(np.tanh(x))


class HardShrink(Elementwise):
    """x where its magnitude is above the threshold, else 0.

    Example:
        >>> import pyconv
        >>> pyconv.activations.hard_shrink([-1.0, 0.5])
        array([-1.,  0.], dtype=float32)
    """

    name = "hard_shrink"

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = number_arg(f"activations.{self.name}", "threshold", threshold)

    def value(self, x: Array) -> Any:
        return x * self.slope(x)

    def slope(self, x: Array) -> Any:
        return (np.abs(x) > self.threshold).astype(np.float32)

    def get_config(self) -> dict[str, Any]:
        return {"threshold": self.threshold}


class SoftShrink(HardShrink):
    """x moved towards 0 by the threshold, at most to 0.

    Example:
        >>> import pyconv
        >>> pyconv.activations.soft_shrink([-1.0, 0.25])
        array([-0.5,  0. ], dtype=float32)
    """

    name = "soft_shrink"

    def value(self, x: Array) -> Any:
        return np.asarray(np.sign(x) * np.maximum(np.abs(x) - np.float32(self.threshold), 0))


class Threshold(Elementwise):
    """x above the threshold, else another value.

    Example:
        >>> import pyconv
        >>> pyconv.activations.threshold([-1.0, 2.0], 1.0, -5.0)
        array([-5.,  2.], dtype=float32)
    """

    name = "threshold"

    def __init__(self, threshold: float = 0.0, default_value: float = 0.0) -> None:
        self.threshold = number_arg("activations.threshold", "threshold", threshold)
        self.default_value = number_arg("activations.threshold", "default_value", default_value)

    def value(self, x: Array) -> Any:
        return np.where(x > self.threshold, x, np.float32(self.default_value))

    def slope(self, x: Array) -> Any:
        return (x > self.threshold).astype(np.float32)

    def get_config(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "default_value": self.default_value}


class Squareplus(Elementwise):
    """(x + sqrt(x**2 + b)) / 2; Barron, 2021.

    Example:
        >>> import pyconv
        >>> pyconv.activations.squareplus([0.0])
        array([1.], dtype=float32)
    """

    name = "squareplus"

    def __init__(self, b: float = 4) -> None:
        self.b = number_arg("activations.squareplus", "b", b, 0)

    def value(self, x: Array) -> Any:
        return np.float32(0.5) * (x + self._root(x))

    def slope(self, x: Array) -> Any:
        return np.float32(0.5) * (_ONE + x / self._root(x))

    def _root(self, x: Array) -> Any:
        return np.sqrt(x * x + np.float32(self.b))

    def get_config(self) -> dict[str, Any]:
        return {"b": self.b}


class SparsePlus(Elementwise):
    """0 up to -1, (x + 1)**2 / 4 up to 1, and x from there; Martins and Astudillo, 2016.

    Example:
        >>> import pyconv
        >>> pyconv.activations.sparse_plus([-2.0, 0.0, 2.0])
        array([0.  , 0.25, 2.  ], dtype=float32)
    """

    name = "sparse_plus"

    def value(self, x: Array) -> Any:
        bent = np.float32(0.25) * np.square(np.clip(x, -1, 1) + _ONE)
        return np.where(x < 1, bent, x)

    def slope(self, x: Array) -> Any:
        return np.clip(np.float32(0.5) * (x + _ONE), 0, 1)


class SparseSigmoid(Elementwise):
    """(x + 1) / 2, kept from 0 to 1.

    Example:
        >>> import pyconv
        >>> pyconv.activations.sparse_sigmoid([-2.0, 0.0])
        array([0. , 0.5], dtype=float32)
    """

    name = "sparse_sigmoid"

    def value(self, x: Array) -> Any:
        return np.clip(np.float32(0.5) * (x + _ONE), 0, 1)

    def slope(self, x: Array) -> Any:
        return np.where(np.abs(x) < 1, np.float32(0.5), np.float32(0))


class LogSigmoid(Elementwise):
    """log(sigmoid(x)).

    Example:
        >>> import pyconv
        >>> pyconv.activations.log_sigmoid([0.0]).round(3)
        array([-0.693], dtype=float32)
    """

    name = "log_sigmoid"

    def value(self, x: Array) -> Any:
        return -_softplus(-x)

    def slope(self, x: Array) -> Any:
        return _sigmoid(-x)
