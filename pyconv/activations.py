"""Activation functions and their gradients.

Each is a function of an array, and known to layers by its name: ``activation="relu"``.
"""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._convert import float32_array
from pyconv._types import Array


class ActivationFunction:
    """A function whose gradient follows from its result alone, so layers keep only that."""

    name: str

    def forward(self, x: Array, out: Array) -> Array:
        """Return the activation of ``x``, written to ``out``, which may be ``x``."""
        raise NotImplementedError

    def backward(self, y: Array, dy: Array, out: Array) -> Array:
        """Return the gradient of the input, written to ``out``, which may be ``dy``.

        ``y`` is what ``forward`` returned and ``dy`` its gradient.
        """
        raise NotImplementedError

    def __call__(self, x: Any) -> Array:
        array = backend.on_device(float32_array(f"activations.{self.name}", "x", x).copy())
        return np.asarray(self.forward(array, array))

    def __repr__(self) -> str:
        return f"<activation {self.name}>"


class _Linear(ActivationFunction):
    """The input unchanged.

    Example:
        >>> import pyconv
        >>> pyconv.activations.linear([-1.0, 2.0])
        array([-1.,  2.], dtype=float32)
    """

    name = "linear"

    def forward(self, x: Array, out: Array) -> Array:
        return x

    def backward(self, y: Array, dy: Array, out: Array) -> Array:
        return dy


class _ReLU(ActivationFunction):
    """max(x, 0); its gradient at 0 is 0.

    Example:
        >>> import pyconv
        >>> pyconv.activations.relu([-1.0, 2.0])
        array([0., 2.], dtype=float32)
    """

    name = "relu"

    def forward(self, x: Array, out: Array) -> Array:
        return backend.active.relu_forward(x, out)

    def backward(self, y: Array, dy: Array, out: Array) -> Array:
        return backend.active.relu_backward(y, dy, out)


class _Softmax(ActivationFunction):
    """exp(x) over its sum along the last axis: positive numbers that sum to 1.

    Example:
        >>> import pyconv
        >>> pyconv.activations.softmax([[0.0, 0.0]])
        array([[0.5, 0.5]], dtype=float32)
    """

    name = "softmax"

    def forward(self, x: Array, out: Array) -> Array:
        return backend.active.softmax_forward(x, out)

    def backward(self, y: Array, dy: Array, out: Array) -> Array:
        return backend.active.softmax_backward(y, dy, out)


class _Sigmoid(ActivationFunction):
    """1 / (1 + exp(-x)).

    Example:
        >>> import pyconv
        >>> pyconv.activations.sigmoid([0.0])
        array([0.5], dtype=float32)
    """

    name = "sigmoid"

    def forward(self, x: Array, out: Array) -> Array:
        # exp overflows to infinity below about -88, and 1 / infinity is the right 0.
        with np.errstate(over="ignore"):
            np.exp(np.negative(x, out=out), out=out)
        out += 1
        np.reciprocal(out, out=out)
        return out

    def backward(self, y: Array, dy: Array, out: Array) -> Array:
        np.multiply(dy, y * (1 - y), out=out)
        return out


class _Tanh(ActivationFunction):
    """The hyperbolic tangent.

    Example:
        >>> import pyconv
        >>> pyconv.activations.tanh([0.0])
        array([0.], dtype=float32)
    """

    name = "tanh"

    def forward(self, x: Array, out: Array) -> Array:
        np.tanh(x, out=out)
        return out

    def backward(self, y: Array, dy: Array, out: Array) -> Array:
        np.multiply(dy, 1 - y * y, out=out)
        return out


linear = _Linear()
relu = _ReLU()
softmax = _Softmax()
sigmoid = _Sigmoid()
tanh = _Tanh()

_BY_NAME = {f.name: f for f in (linear, relu, softmax, sigmoid, tanh)}


def get(identifier: Any) -> ActivationFunction:
    """Return the activation function that ``identifier`` means.

    Args:
        identifier: a name such as ``"relu"``, a function of this module, or None for ``linear``.

    Raises:
        ValueError: no activation has this name.
        TypeError: ``identifier`` is none of the above.

    Example:
        >>> import pyconv
        >>> pyconv.activations.get("relu") is pyconv.activations.relu
        True
    """
    return find("activations.get", identifier)


def find(owner: str, identifier: Any) -> ActivationFunction:
    """Return the activation function that ``identifier`` means; errors name ``owner``."""
    if identifier is None:
        return linear
    if isinstance(identifier, ActivationFunction):
        return identifier
    known = ", ".join(sorted(_BY_NAME))
    if isinstance(identifier, str):
        if identifier in _BY_NAME:
            return _BY_NAME[identifier]
        raise ValueError(f"{owner}: activation must be one of {known}, got {identifier!r}")
    raise TypeError(
        f"{owner}: activation must be None, a name or a function of pyconv.activations, got a "
        f"{type(identifier).__name__}; names are {known}"
    )
