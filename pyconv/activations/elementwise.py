"""Activation functions of single numbers: their formulas and slopes."""

import math
from typing import Any

import numpy as np

from pyconv._types import Array
from pyconv.activations.function import Elementwise
from pyconv.layers._arguments import number_arg

_ONE = np.float32(1)


def _sigmoid(x: Array) -> Any:
    return _ONE / (_ONE + np.exp(-x))


def _softplus(x: Array) -> Any:
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def _erf(x: Array) -> Any:
    """Return the error function, to float32: the rational approximation that XLA and Eigen use."""
    x = np.clip(x, -4, 4)
    square = x * x
    top = np.float32(-2.72614225801306e-10) * square
    for term in (
        2.77068142495902e-08,
        -2.10102402082508e-06,
        -5.69250639462346e-05,
        -7.34990630326855e-04,
        -2.95459980854025e-03,
    ):
        top = (top + np.float32(term)) * square
    top += np.float32(-1.60960333262415e-02)
    bottom = np.float32(-1.45660718464996e-05) * square
    for term in (-2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03):
        bottom = (bottom + np.float32(term)) * square
    bottom += np.float32(-1.42647390514189e-02)
    return x * top / bottom


class ELU(Elementwise):
    """x above 0, alpha * (exp(x) - 1) below; Clevert et al., 2016.

    Example:
        >>> import pyconv
        >>> pyconv.activations.elu([-1.0, 2.0]).round(3)
        array([-0.632,  2.   ], dtype=float32)
    """

    name = "elu"

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = number_arg("activations.elu", "alpha", alpha)

    def value(self, x: Array) -> Any:
        return np.where(x > 0, x, np.float32(self.alpha) * np.expm1(np.minimum(x, 0)))

    def slope(self, x: Array) -> Any:
        return np.where(x > 0, _ONE, np.float32(self.alpha) * np.exp(np.minimum(x, 0)))

    def get_config(self) -> dict[str, Any]:
        return {"alpha": self.alpha}


class SELU(Elementwise):
    """1.0507 * elu(x, 1.6733): keeps mean 0 and variance 1; Klambauer et al., 2017.

    Example:
        >>> import pyconv
        >>> pyconv.activations.selu([1.0]).round(4)
        array([1.0507], dtype=float32)
    """

    name = "selu"
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    _elu = ELU(alpha)

    def value(self, x: Array) -> Any:
        return np.float32(self.scale) * self._elu.value(x)

    def slope(self, x: Array) -> Any:
        return np.float32(self.scale) * self._elu.slope(x)


class CELU(Elementwise):
    """max(x, 0) + min(0, alpha * (exp(x / alpha) - 1)); Barron, 2017.

    Example:
        >>> import pyconv
        >>> pyconv.activations.celu([-1.0]).round(3)
        array([-0.632], dtype=float32)
    """

    name = "celu"

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = number_arg("activations.celu", "alpha", alpha)

    def value(self, x: Array) -> Any:
        a = np.float32(self.alpha)
        return np.maximum(x, 0) + a * np.expm1(np.minimum(x, 0) / a)

    def slope(self, x: Array) -> Any:
        return np.where(x > 0, _ONE, np.exp(np.minimum(x, 0) / np.float32(self.alpha)))

    def get_config(self) -> dict[str, Any]:
        return {"alpha": self.alpha}


class LeakyReLU(Elementwise):
    """x above 0, negative_slope * x below; Maas et al., 2013.

    Example:
        >>> import pyconv
        >>> pyconv.activations.leaky_relu([-1.0, 2.0])
        array([-0.2,  2. ], dtype=float32)
    """

    name = "leaky_relu"

    def __init__(self, negative_slope: float = 0.2, *, alpha: float | None = None) -> None:
        slope = negative_slope if alpha is None else alpha  # its name in Keras 2
        self.negative_slope = number_arg("activations.leaky_relu", "negative_slope", slope)

    def value(self, x: Array) -> Any:
        below = np.float32(self.negative_slope) * x
        return np.maximum(x, below) if 0 <= self.negative_slope <= 1 else np.where(x > 0, x, below)

    def slope(self, x: Array) -> Any:
        return np.where(x > 0, _ONE, np.float32(self.negative_slope))

    def get_config(self) -> dict[str, Any]:
        return {"negative_slope": self.negative_slope}


class ReLU6(Elementwise):
    """min(max(x, 0), 6); Krizhevsky, 2010.

    Example:
        >>> import pyconv
        >>> pyconv.activations.relu6([-1.0, 8.0])
        array([0., 6.], dtype=float32)
    """

    name = "relu6"

    def value(self, x: Array) -> Any:
        return np.clip(x, 0, 6)

    def slope(self, x: Array) -> Any:
        return ((x > 0) & (x < 6)).astype(np.float32)


class Softplus(Elementwise):
    """log(exp(x) + 1); Glorot et al., 2011.

    Example:
        >>> import pyconv
        >>> pyconv.activations.softplus([0.0]).round(3)
        array([0.693], dtype=float32)
    """

    name = "softplus"

    def value(self, x: Array) -> Any:
        return _softplus(x)

    def slope(self, x: Array) -> Any:
        return _sigmoid(x)


class Softsign(Elementwise):
    """x / (abs(x) + 1).

    Example:
        >>> import pyconv
        >>> pyconv.activations.softsign([-1.0])
        array([-0.5], dtype=float32)
    """

    name = "softsign"

    def value(self, x: Array) -> Any:
        return x / (_ONE + np.abs(x))

    def slope(self, x: Array) -> Any:
        return _ONE / np.square(_ONE + np.abs(x))


class SiLU(Elementwise):
    """x * sigmoid(x), also called swish; Ramachandran et al., 2017.

    Example:
        >>> import pyconv
        >>> pyconv.activations.silu([1.0]).round(3)
        array([0.731], dtype=float32)
    """

    name = "silu"

    def value(self, x: Array) -> Any:
        return x / (_ONE + np.exp(-x))

    def slope(self, x: Array) -> Any:
        s = _sigmoid(x)
        return s * (_ONE + x * (_ONE - s))


class GELU(Elementwise):
    """x times the normal distribution's P(X <= x); Hendrycks and Gimpel, 2016.

    With ``approximate`` by tanh.

    Example:
        >>> import pyconv
        >>> pyconv.activations.gelu([1.0]).round(3)
        array([0.841], dtype=float32)
    """

    name = "gelu"

    def __init__(self, approximate: bool = False) -> None:
        self.approximate = bool(approximate)

    def value(self, x: Array) -> Any:
        if self.approximate:
            return np.float32(0.5) * x * (_ONE + np.tanh(self._inner(x)))
        return np.float32(0.5) * x * (_ONE + _erf(x * np.float32(math.sqrt(0.5))))

    def slope(self, x: Array) -> Any:
        half = np.float32(0.5)
        if self.approximate:
            t = np.tanh(self._inner(x))
            root = np.float32(math.sqrt(2 / math.pi))
            inner_slope = root * (_ONE + np.float32(3 * 0.044715) * x * x)
            return half * (_ONE + t) + half * x * (_ONE - t * t) * inner_slope
        density = np.exp(-half * x * x) * np.float32(1 / math.sqrt(2 * math.pi))
        return half * (_ONE + _erf(x * np.float32(math.sqrt(0.5)))) + x * density

    def _inner(self, x: Array) -> Any:
        return np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)

    def get_config(self) -> dict[str, Any]:
        return {"approximate": self.approximate}


class HardSigmoid(Elementwise):
    """x / 6 + 0.5, kept from 0 to 1.

    Example:
        >>> import pyconv
        >>> pyconv.activations.hard_sigmoid([-3.0, 0.0, 9.0])
        array([0. , 0.5, 1. ], dtype=float32)
    """

    name = "hard_sigmoid"

    def value(self, x: Array) -> Any:
        return np.clip(x / np.float32(6) + np.float32(0.5), 0, 1)

    def slope(self, x: Array) -> Any:
        return np.where(np.abs(x) < 3, np.float32(1 / 6), np.float32(0))


class HardSiLU(Elementwise):
    """x * hard_sigmoid(x), also called hard_swish; Howard et al., 2019.

    Example:
        >>> import pyconv
        >>> pyconv.activations.hard_silu([-3.0, 1.0, 4.0]).round(3)
        array([-0.   ,  0.667,  4.   ], dtype=float32)
    """

    name = "hard_silu"
    _sigmoid = HardSigmoid()

    def value(self, x: Array) -> Any:
        return x * self._sigmoid.value(x)

    def slope(self, x: Array) -> Any:
        return self._sigmoid.value(x) + x * self._sigmoid.slope(x)


class Mish(Elementwise):
    """x * tanh(softplus(x)); Misra, 2019.

    Example:
        >>> import pyconv
        >>> pyconv.activations.mish([1.0]).round(3)
        array([0.865], dtype=float32)
    """

    name = "mish"

    def value(self, x: Array) -> Any:
        return x * np.tanh(_softplus(x))

    def slope(self, x: Array) -> Any:
        t = np.tanh(_softplus(x))
        return t + x * _sigmoid(x) * (_ONE - t * t)
