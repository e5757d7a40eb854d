"""The forward pass of a stack as one native call, where all its layers are known there."""

from collections.abc import Callable
from typing import Any

from pyconv import activations, backend
from pyconv._types import Array
from pyconv.layers._conv_pool import ConvPool
from pyconv.layers.conv2d import Conv2D
from pyconv.layers.dense import Dense
from pyconv.layers.dropout import Dropout
from pyconv.layers.flatten import Flatten
from pyconv.layers.maxpool2d import MaxPooling2D
from pyconv.layers.softmax import Softmax

_FUSED = (activations.linear, activations.relu)


class Predictor:
    """Predicts batches with the steps of a model, whose plan it keeps from batch to batch.

    A plan holds the layers' own weights, whose values it reads at each batch.
    """

    def __init__(self) -> None:
        self._steps: list[Any] | None = None
        self._shape: tuple[int, ...] = ()
        self._run: Callable[[Array], Array] | None = None
        self._weights: list[tuple[dict[str, Array], str, Array]] = []

    def __reduce__(self) -> Any:
        # A copy of a model makes plans of its own.
        return Predictor, ()

    def __call__(self, steps: list[Any], x: Array) -> Array | None:
        """Return the outputs (N, ...) of x (N, ...), in a new array; None where it cannot."""
        if steps is not self._steps or x.shape[1:] != self._shape or not self._current():
            self._plan(steps, x.shape[1:])
        return None if self._run is None else self._run(x)

    def _current(self) -> bool:
        return all(held.get(name) is array for held, name, array in self._weights)

    def _plan(self, steps: list[Any], shape: tuple[int, ...]) -> None:
        self._steps, self._shape, self._run, self._weights = steps, shape, None, []
        native = backend.cpu.Prediction()
        stages = 0
        for step in steps:
            followed = _add(native, step, shape)
            if followed is None:
                return
            stages += type(step) not in (Dropout, Flatten)
            shape = followed
            layer = step.conv if type(step) is ConvPool else step
            self._weights += [(layer._weights, name, w) for name, w in layer._weights.items()]
        # The native result has two axes.
        if stages and len(shape) == 1:
            self._run = native.run


def _add(native: Any, step: Any, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Add a step on samples of ``shape``; return the shape of its result."""
    kind = type(step)
    if kind is Dropout:
        return shape
    if kind is Flatten and step.data_format == "channels_last":
        size = 1
        for extent in shape:
            size *= extent
        return (size,)
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
        _, oh, ow = step.windows.fit(*shape[:2])
        native.conv2d(*_convolution(step, shape))
        return oh, ow, step.filters
    if kind is ConvPool:
        _, oh, ow = step.conv.windows.fit(*shape[:2])
        pads, ph, pw = step.pool.windows.fit(oh, ow)
        native.conv2d_maxpool2d(
            *_convolution(step.conv, shape), step.pool.pool_size, step.pool.strides, pads
        )
        return ph, pw, step.conv.filters
    return None


def _convolution(conv: Conv2D, shape: tuple[int, ...]) -> tuple[Any, ...]:
    pads, _, _ = conv.windows.fit(*shape[:2])
    return (
        (1, *shape),
        conv.kernel,
        conv.bias,
        conv.strides,
        pads,
        conv.dilation_rate,
        conv.groups,
        conv._fused,
    )
