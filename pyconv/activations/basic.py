"""Activation functions that have kernels, or whose gradient follows from their result."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._types import Array
from pyconv.activations.function import ActivationFunction
from pyconv.layers._axes import channels_last


class Linear(ActivationFunction):
    """The input unchanged.

    Example:
        >>> import pyconv
        >>> pyconv.activations.linear([-1.0, 2.0])
        array([-1.,  2.], dtype=float32)
    """

    name = "linear"

    def forward(self, x: Array, out: Array) -> Array:
        return x

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        return dy


class ReLU(ActivationFunction):
    """max(x, 0); its gradient at 0 is 0.

    Example:
        >>> import pyconv
        >>> pyconv.activations.relu([-1.0, 2.0])
        array([0., 2.], dtype=float32)
    """

    name = "relu"

    def variant(self, *arguments: Any, **named: Any) -> ActivationFunction:
        """Return the function with a ``negative_slope``, a ``max_value`` or a ``threshold``."""
        names = ("negative_slope", "max_value", "threshold")
        given = {**dict(zip(names, arguments, strict=False)), **named}
        if "alpha" in given:  # the slope's name in Keras 2
            given["negative_slope"] = given.pop("alpha")
        return Rectified(**given)

    def forward(self, x: Array, out: Array) -> Array:
        return backend.active.relu_forward(x, out)

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        return backend.active.relu_backward(kept, dy, out)


class Rectified(ActivationFunction):
    """What a ``ReLU`` layer with arguments computes; ``relu`` itself has kernels of its own."""

    name = "rectified"
    uses_input = True

    def __init__(self, **arguments: Any) -> None:
        from pyconv.layers.relu import ReLU as Layer

        self._layer = Layer(**{"name": "relu", **arguments})

    def forward(self, x: Array, out: Array) -> Array:
        np.copyto(out, self._layer.forward(x, False))
        return out

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        self._layer.forward(kept, True)
        np.copyto(out, dy)
        self._layer.backward(out, True)
        return out

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        names = ("max_value", "negative_slope", "threshold")
        return {name: getattr(self._layer, name) for name in names}


class Softmax(ActivationFunction):
    """exp(x) over its sum along the last axis: positive numbers that sum to 1.

    ``softmax(x, axis)`` is that along another axis, or along several, a tuple.

    Example:
        >>> import pyconv
        >>> pyconv.activations.softmax([[0.0, 0.0]])
        array([[0.5, 0.5]], dtype=float32)
    """

    name = "softmax"

    def __init__(self, axis: Any = -1) -> None:
        several = isinstance(axis, (list, tuple))
        self.axis: int | tuple[int, ...] = tuple(axis) if several else axis
        if several and len(axis) == 1:
            self.axis = axis[0]

    def forward(self, x: Array, out: Array) -> Array:
        if self.axis in (-1, x.ndim - 1):
            return backend.active.softmax_forward(x, out)
        return self._turned(backend.active.softmax_forward(self._rows(x)), out)

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        if self.axis in (-1, kept.ndim - 1):
            return backend.active.softmax_backward(kept, dy, out)
        return self._turned(backend.active.softmax_backward(self._rows(kept), self._rows(dy)), out)

    def _rows(self, x: Array) -> Array:
        """Return x with the axis, or the axes as one, at the end."""
        if not isinstance(self.axis, tuple):
            return channels_last(x, self.axis)
        turned = np.moveaxis(np.asarray(x), self.axis, self._ends())
        rows: Array = backend.float32(turned.reshape(*turned.shape[: -len(self.axis)], -1))
        return rows

    def _turned(self, rows: Array, out: Array) -> Array:
        """Write what has the axes last to ``out``, where they are in their places."""
        if isinstance(self.axis, tuple):
            shape = np.moveaxis(np.empty(out.shape, bool), self.axis, self._ends()).shape
            rows = np.moveaxis(np.asarray(rows).reshape(shape), self._ends(), self.axis)
            out[...] = rows
        else:
            np.copyto(out, np.moveaxis(rows, -1, self.axis))
        return out

    def _ends(self) -> tuple[int, ...]:
        assert isinstance(self.axis, tuple)
        return tuple(range(-len(self.axis), 0))

    def get_config(self) -> dict[str, Any]:
        """Return the axis."""
        return {"axis": self.axis}


class Sigmoid(ActivationFunction):
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

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        np.multiply(dy, kept * (1 - kept), out=out)
        return out


class Tanh(ActivationFunction):
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

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        np.multiply(dy, 1 - kept * kept, out=out)
        return out


class Exponential(ActivationFunction):
    """exp(x).

    Example:
        >>> import pyconv
        >>> pyconv.activations.exponential([0.0])
        array([1.], dtype=float32)
    """

    name = "exponential"

    def forward(self, x: Array, out: Array) -> Array:
        with np.errstate(over="ignore"):
            np.exp(x, out=out)
        return out

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        np.multiply(dy, kept, out=out)
        return out


class Sparsemax(ActivationFunction):
    """The nearest point, to each row, whose numbers are not negative and sum to 1.

    Source: Martins and Astudillo, "From softmax to sparsemax" (2016).

    Example:
        >>> import pyconv
        >>> pyconv.activations.sparsemax([[1.0, 0.5, -1.0]])
        array([[0.75, 0.25, 0.  ]], dtype=float32)
    """

    name = "sparsemax"

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Array, out: Array) -> Array:
        if not out.size:
            return out
        rows = np.moveaxis(np.asarray(x, np.float64), self.axis, -1)
        falling = -np.sort(-rows, axis=-1)
        sums = np.cumsum(falling, axis=-1) - 1
        counts = np.arange(1, rows.shape[-1] + 1)
        kept = (falling * counts > sums).sum(axis=-1, keepdims=True)
        threshold = np.take_along_axis(sums, kept - 1, axis=-1) / kept
        y = np.maximum(rows - threshold, 0)
        out[...] = np.moveaxis(y, -1, self.axis).astype(np.float32)
        return out

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        support = np.asarray(kept) > 0
        grad = np.asarray(dy, np.float64) * support
        mean = grad.sum(self.axis, keepdims=True) / support.sum(self.axis, keepdims=True)
        out[...] = ((grad - mean) * support).astype(np.float32)
        return out

    def get_config(self) -> dict[str, Any]:
        """Return the axis."""
        return {"axis": self.axis}


class LogSoftmax(ActivationFunction):
    """The logarithm of softmax, along the last axis.

    Example:
        >>> import pyconv
        >>> pyconv.activations.log_softmax([[0.0, 0.0]]).round(3)
        array([[-0.693, -0.693]], dtype=float32)
    """

    name = "log_softmax"

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Array, out: Array) -> Array:
        if not out.size:
            return out
        values = np.asarray(x, np.float64)
        values = values - values.max(axis=self.axis, keepdims=True)
        values -= np.log(np.exp(values).sum(axis=self.axis, keepdims=True))
        out[...] = values.astype(np.float32)
        return out

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        grad = np.asarray(dy, np.float64)
        total = grad.sum(axis=self.axis, keepdims=True)
        slope = grad - np.exp(np.asarray(kept, np.float64)) * total
        out[...] = slope.astype(np.float32)
        return out

    def get_config(self) -> dict[str, Any]:
        """Return the axis."""
        return {"axis": self.axis}
