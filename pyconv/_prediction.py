"""The forward pass of a stack as one native call, where all its layers are known there."""

import math
from collections.abc import Callable
from typing import Any

from pyconv import _derived, _spans, activations, backend
from pyconv._registry import kind_of
from pyconv._types import Array
from pyconv.layers._conv_pool import ConvPool
from pyconv.layers._kernel_layer import KernelLayer
from pyconv.layers.conv2d import Conv2D
from pyconv.layers.dense import Dense
from pyconv.layers.dropout import Dropout
from pyconv.layers.flatten import Flatten
from pyconv.layers.maxpool2d import MaxPooling2D
from pyconv.layers.softmax import Softmax

_FUSED = (activations.linear, activations.relu)
_WITHOUT_STAGE = (Dropout, Flatten)


class Predictor:
    """Predicts batches with the steps of a model, whose plan it keeps from batch to batch.

    A plan holds the layers' own weights, whose values it reads at each batch; it is made anew
    where a layer has got other arrays or another activation.
    """

    def __init__(self) -> None:
        self._native: Any = None
        self._shape: tuple[int, ...] = ()
        self._predicts = False
        self.again: Callable[[list[Any], Any, Any], Array | None] = _nothing

    def __reduce__(self) -> Any:
        # A copy of a model makes plans of its own.
        return Predictor, ()

    def __call__(self, layers: list[Any], steps: list[Any], x: Array) -> Array | None:
        """Return the outputs (N, ...) of x (N, ...), in a new array; None where it cannot."""
        shape = x.shape[1:]
        if self._native is None or shape != self._shape or not self._native.unchanged(layers):
            self._plan(layers, steps, shape)
        return self._native.run(x) if self._predicts else None

    def _plan(self, layers: list[Any], steps: list[Any], shape: tuple[int, ...]) -> None:
        self._native, self._shape = backend.cpu.Prediction(), shape
        self._predicts, self.again = _adds_all(self._native, steps, shape), _nothing
        self._native.keep(shape, layers, _made_of(steps))
        if self._predicts:
            # For a batch like this one: nothing is checked that stays as it is.
            self.again = self._native.again


def _nothing(layers: list[Any], x: Any, most: Any) -> None:
    return None


def _made_of(steps: list[Any]) -> list[tuple[dict[str, Any], str, Any]]:
    """Return what a plan of steps depends on: (holder, name, value)."""
    names = [(vars(backend), "active"), (vars(backend), "generation")]
    names += [(vars(_spans), "_on"), (vars(_derived), "changes")]
    for step in steps:
        layer = step.conv if type(step) is ConvPool else step
        if isinstance(layer, KernelLayer):
            names.append((vars(layer), "activation"))
            names += [(layer._weights, name) for name in layer._weights]
    return [(holder, name, holder[name]) for holder, name in names]


def _adds_all(native: Any, steps: list[Any], shape: tuple[int, ...]) -> bool:
    for step in steps:
        followed = _add(native, step, shape)
        if followed is None:
            return False
        shape = followed
    # The native result has two axes.
    return len(shape) == 1 and not all(kind_of(step) in _WITHOUT_STAGE for step in steps)


def _add(native: Any, step: Any, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Add a step on samples of ``shape``; return the shape of its result."""
    kind = kind_of(step)
    if kind is Dropout:
        return shape
    if kind is Flatten and step.data_format == "channels_last":
        return (math.prod(shape),)
    if kind is Dense and len(shape) == 1 and step.activation in (*_FUSED, activations.softmax):
        native.dense(step.kernel, step.bias, step._fused)
        if step.activation is activations.softmax:
            native.softmax(step.units)
        return (step.units,)
    if kind is Softmax and len(shape) == 1 and step.axis in (-1, 1):
        native.softmax(shape[0])
        return shape
    if len(shape) != 3:
        return None
    if kind is MaxPooling2D:
        pads, oh, ow = step.windows.fit(*shape[:2])
        native.maxpool2d((1, *shape), step.pool_size, step.strides, pads)
        return oh, ow, shape[2]
    if kind is Conv2D and step.activation in _FUSED:
        geometry, oh, ow = _convolution(step, shape)
        native.conv2d(*geometry)
        return oh, ow, step.filters
    if kind is ConvPool and step.conv.activation in _FUSED:
        geometry, oh, ow = _convolution(step.conv, shape)
        pads, ph, pw = step.pool.windows.fit(oh, ow)
        native.conv2d_maxpool2d(*geometry, step.pool.pool_size, step.pool.strides, pads)
        return ph, pw, step.conv.filters
    return None


def _convolution(conv: Conv2D, shape: tuple[int, ...]) -> tuple[tuple[Any, ...], int, int]:
    """Return the arguments of a convolution of samples of ``shape``, and its maps' size."""
    pads, oh, ow = conv.windows.fit(*shape[:2])
    arrays = (conv.kernel, conv.bias)
    windows = (conv.strides, pads, conv.dilation_rate, conv.groups)
    return ((1, *shape), *arrays, *windows, conv._fused), oh, ow
