"""The forward pass of a stack as one native call, where all its layers are known there."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pyconv import activations, backend
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
        self._steps: list[Any] | None = None
        self._shape: tuple[int, ...] = ()
        self._run: Callable[[Array], Array] | None = None
        self._made_of: list[tuple[dict[str, Any], str, Any]] = []  # what a layer holds by a name

    def __reduce__(self) -> Any:
        # A copy of a model makes plans of its own.
        return Predictor, ()

    def __call__(self, steps: list[Any], x: Array) -> Array | None:
        """Return the outputs (N, ...) of x (N, ...), in a new array; None where it cannot."""
        if steps is not self._steps or x.shape[1:] != self._shape or not self._current():
            self._plan(steps, x.shape[1:])
        return None if self._run is None else self._run(x)

    def again(self, steps: list[Any], x: Any, most: int) -> Array | None:
        """Return what ``__call__`` does for a batch like the last one, of up to ``most`` samples.

        None where x is not such an array, or the model is not what it was then.
        """
        if (
            self._run is not None
            and type(x) is np.ndarray
            and x.dtype == np.float32
            and x.shape[1:] == self._shape
            and 0 < len(x) <= most
            and steps is self._steps
            and self._current()
        ):
            return self._run(x)
        return None

    def _current(self) -> bool:
        for held, name, value in self._made_of:  # noqa: SIM110 (all() takes twice as long)
            if held.get(name) is not value:
                return False
        return True

    def _plan(self, steps: list[Any], shape: tuple[int, ...]) -> None:
        self._steps, self._shape, self._run, self._made_of = steps, shape, None, []
        native = backend.cpu.Prediction()
        for step in steps:
            layer = step.conv if type(step) is ConvPool else step
            if isinstance(layer, KernelLayer):
                self._made_of.append((vars(layer), "activation", layer.activation))
                self._made_of += [(layer._weights, name, w) for name, w in layer._weights.items()]
        for step in steps:
            followed = _add(native, step, shape)
            if followed is None:
                return
            shape = followed
        # The native result has two axes.
        if len(shape) == 1 and not all(kind_of(step) in _WITHOUT_STAGE for step in steps):
            self._run = native.run


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
