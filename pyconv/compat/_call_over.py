"""Layers of the library's below a ``call`` of the user's own, in models: the call is what they run.

Its gradient follows from the functions in it. What it asks of the layer below, by
``super().call``, goes forward and back as the library does it.
"""

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._derived import Derived, derive
from pyconv._types import Array
from pyconv.compat import _call_context
from pyconv.compat._autodiff import unwrapped
from pyconv.compat._eager import eager
from pyconv.compat._own_call import OwnCall
from pyconv.compat._recording import Recording
from pyconv.compat._tensor import Tensor
from pyconv.layers._merge import Merge
from pyconv.layers.dropout import Dropout
from pyconv.layers.input import InputLayer
from pyconv.layers.noise import NoiseLayer

_OF_TENSORS = ("input", "output", "tensors")


class CallOver(Derived, OwnCall):
    """Such a layer: within its call it is the library's, without it is the user's."""

    _weights_as_given: Any = None  # while the call sees its weights as recorded arrays

    @property
    def ends_in_softmax(self) -> bool:
        """Whether the last step is a softmax: of a call this is not known."""
        return False

    @property
    def update_grads(self: Any) -> list[Any]:
        """The gradients as the optimizer of a training step takes them."""
        return super().update_grads if self._calls_over else list(self.grads)

    def forward(self: Any, x: Array, training: bool, **options: Any) -> Any:
        """Return what the call makes of a batch; what training needs is recorded."""
        if self._calls_over:
            return super(OwnCall, self).forward(x, training, **options)
        self._call_input, self._recorded = x, None
        if training:
            y = self._record(x, training)
        else:
            with self._within_call(training):
                told = self._told_of(training)
                y = self.call(eager(x) if type(x) is np.ndarray else x, **told)
        result = backend.float32(np.asarray(unwrapped(y)))
        if result.shape[1:] != tuple(self.output_shape[1:]) and None not in self.output_shape[1:]:
            raise ValueError(
                f"{self.label}: its call must return the shape that compute_output_shape says, "
                f"{self.output_shape}, got {result.shape}; give the class a compute_output_shape"
            )
        return result

    def backward(self: Any, dy: Array, need_dx: bool, **options: Any) -> Any:
        """Fill ``grads``; return the gradient of the last forward's input where it is needed."""
        if self._calls_over:
            return super(OwnCall, self).backward(dy, need_dx, **options)
        for grad in self.grads:
            grad[...] = 0  # the library's layer fills those of the weights that it knows
        with self._within_call(True):
            return OwnCall.backward(self, dy, need_dx)

    def called(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the result for arrays: of the library's layer, on the weights themselves."""
        if self._weights_as_given is None:
            return super().called(x, *args, **kwargs)  # type: ignore[misc]
        watched, self._weights = self._weights, self._weights_as_given
        try:
            return super().called(x, *args, **kwargs)  # type: ignore[misc]
        finally:
            self._weights = watched

    def _record(self: Any, x: Any, training: bool) -> Any:
        with self._within_call(training):
            return super()._record(x, training)

    @contextlib.contextmanager
    def _within_call(self: Any, training: bool) -> Iterator[None]:
        around, self._calls_over = self._calls_over, True
        try:
            with _call_context.within(_call_context.path(), {"training": training}):
                yield
        finally:
            self._calls_over = around

    def _told_of(self: Any, training: bool) -> dict[str, Any]:
        told = {"training": training, "mask": self._taken_mask()}
        taken = inspect.signature(self.call).parameters
        return {name: value for name, value in told.items() if name in taken}

    @contextlib.contextmanager
    def _watching(self: Any, recording: Recording) -> Iterator[None]:
        """Within, the weights are arrays by which gradients can be taken."""
        self._weights_as_given = self._weights
        trained = {id(weight) for weight in self.params}
        try:
            with super()._watching(recording):
                self._weights = {
                    name: recording.watched(weight) if id(weight) in trained else weight
                    for name, weight in self._weights_as_given.items()
                }
                yield
        finally:
            self._weights, self._weights_as_given = self._weights_as_given, None


def run_call_over(layer: Any) -> None:
    """Have models run a layer's own call, where it stands over that of a layer of the library's.

    Raises:
        NotImplementedError: it is one of several inputs, or holds other layers.
    """
    below = getattr(layer, "call_over", None)
    if below is None or isinstance(layer, CallOver) or only_says_training(layer):
        return
    within = [name for name, value in vars(layer).items() if _holds_layers(value)]
    if isinstance(layer, Merge) or within:
        why = f"it holds layers ({within[0]})" if within else "it has several inputs"
        raise NotImplementedError(
            f"{layer.label}: its call over that of {below} is not run by models, as {why}; write a "
            "keras.layers.Layer whose call uses these layers, or forward and backward"
        )
    derive(layer, CallOver)


def only_says_training(given: Any) -> bool:
    """Whether a call returns what a layer of noise does, told at most if it is in training.

    The call on a tensor has fixed that by then.
    """
    if not isinstance(given, (Dropout, NoiseLayer)):
        return False
    layer: Any = given
    kept = {name: vars(layer)[name] for name in _OF_TENSORS if name in vars(layer)}
    start = Tensor(InputLayer(batch_shape=(None, 2), name="probe"))
    layer._calls_over = True
    try:
        end = layer.call(start)
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return False
    finally:
        layer._calls_over = False
        for name in _OF_TENSORS:
            vars(layer).pop(name, None)
        vars(layer).update(kept)
    return isinstance(end, Tensor) and end.layer is layer and end.inputs == (start,)


def _holds_layers(value: Any) -> bool:
    """Whether a value is a layer of the user's, or has some: those within layers are plain."""
    from pyconv.compat._chained import Chained

    parts = value.values() if isinstance(value, dict) else value
    found = list(parts) if isinstance(value, (dict, list, tuple)) else [value]
    return any(isinstance(part, Chained) for part in found)
