"""``Lambda`` layers that are called on a list of tensors."""

import functools
import inspect
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._types import Array, Shape
from pyconv.compat._autodiff import unwrapped, watched
from pyconv.compat._lambda import Lambda
from pyconv.compat._operation import gradients, shape_of
from pyconv.compat._recording import Recording
from pyconv.layers._merge import Merge


def take_lists(layer: Any) -> bool:
    """Have a ``Lambda`` take a list of inputs from now on; return whether the layer is one."""
    if isinstance(layer, Lambda) and not isinstance(layer, Merge):
        kind: Any = type(layer)
        layer.__class__ = _of_lists(kind)
        return True
    return False


class _OfLists(Merge):
    """The passes of such a layer."""

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of what ``call`` gives."""
        known: Any = vars(self)
        samples = [tuple(shape)[1:] for shape in input_shape]
        if known.get("_output_shape") and [s[1:] for s in known["_input_shape"]] == samples:
            # A call may be written for batches of one size: not of all samples.
            return (input_shape[0][0], *known["_output_shape"][1:])
        return shape_of(lambda xs: self._run(xs, False), input_shape)

    def forward(self, x: Any, training: bool) -> Array:
        """Return what ``call`` gives, and keep how it was computed."""
        recording, inputs = Recording(), [watched(np.asarray(part)) for part in x]
        own: Any = self
        with recording.opened(), own._watching(recording):
            y = self._run(list(inputs), training)
        self._recorded = recording, inputs, y
        result: Array = backend.on_device(np.asarray(unwrapped(y), np.float32, order="C"))
        return result

    def backward(self, dy: Array, need_dx: bool) -> Any:
        """Fill ``grads``; return the gradients of the inputs, a list, where they are needed."""
        recording, inputs, y = self._recorded
        sources = [*inputs, *map(recording.watched, self.params)]
        found = gradients(sources, y, dy)
        for grad, value in zip(self.grads, found[len(inputs) :], strict=True):
            grad[...] = value
        return found[: len(inputs)] if need_dx else None

    def _run(self, xs: Any, training: bool) -> Any:
        call: Any = self.call  # type: ignore[attr-defined]
        takes = "training" in inspect.signature(call).parameters
        return call(xs, training=training) if takes else call(xs)


@functools.cache
def _of_lists(kind: Any) -> Any:
    made = type(kind.__name__, (_OfLists, kind), {"__module__": kind.__module__})
    made.__qualname__ = kind.__qualname__
    return made
