"""Layers of the user's own with a ``call``: their gradients follow from the functions in it."""

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._derived import before
from pyconv._types import Array
from pyconv.compat._auto_config import arguments_of, completed
from pyconv.compat._autodiff import Node, Taped, pull_back, unwrapped, watched
from pyconv.compat._eager import EagerArray, eager
from pyconv.compat._recording import Recording
from pyconv.compat._tensor import Tensor
from pyconv.layers.graph import flat
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer, one_result, own_call


class OwnCall(Layer):
    """What ``keras.layers.Layer`` has for layers that define ``call`` and no ``backward``."""

    _recorded: tuple[Any, Taped, Any] | None = None  # (parameters, input, result) of the last call
    _call_input: Array | None = None
    _packing: Any = None  # how several inputs and results lie side by side
    _losses: Any = ()  # that the last call added
    _scale_around = 0.0  # of these losses, in the gradient of a layer that calls this one

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make a layer that knows its arguments, for a class without a ``get_config``."""
        made: Any = super().__new__(cls)
        if not cls.__module__.startswith("pyconv."):
            made._given_arguments = arguments_of(cls, args, kwargs)
        return made

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return completed(self, super().get_config())

    def forward(self, x: Array, training: bool) -> Array:
        """Return the layer's result for a batch; what training needs is recorded."""
        if own_call(type(self)) is None or before(type(self)).backward is not OwnCall.backward:
            return super().forward(x, training)
        self._call_input, self._recorded = x, None
        if not training and self._packing is None:
            given = eager(x) if type(x) is np.ndarray else x
            with self._weights_of_call(training):
                y = super().forward(given, training)
            return np.asarray(y) if isinstance(y, EagerArray) else y
        result: Array = backend.float32(np.asarray(unwrapped(self._record(x, training))))
        return result

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill ``grads`` and return the gradient of the last forward's input.

        Raises:
            NotImplementedError: the layer has no ``call``, or something in it has no known
                gradient.
        """
        if own_call(type(self)) is None:
            return super().backward(dy, need_dx)
        if self._recorded is None:
            self._losses = []
            self._record(self._call_input, False)
        assert self._recorded is not None
        recording, x, y = self._recorded
        if need_dx or self.params:
            self._check_known(y, dy)
        found = self._gradients(y, dy)
        for weight, grad in zip(self.params, self.grads, strict=True):
            used = recording.parameters.get(id(weight))
            part = 0 if used is None else found.get(used[1], 0)
            grad[...] = backend.on_device(np.asarray(part, np.float32))
        if not need_dx:
            return None
        dx = found.get(x.node) if x.node is not None else None
        if dx is None:
            dx = np.zeros(x.shape, np.float32)
        elif np.may_share_memory(dx, dy):
            dx = np.array(dx)
        whole = np.require(dx, np.float32, ["C", "W"])
        result: Array = backend.on_device(whole)
        return result

    def _gradients(self, y: Any, dy: Any) -> dict[Any, Any]:
        """Return the gradients of what the result and the losses of the call were computed from."""
        scale = self.penalty_scale + self._scale_around
        # Of several numbers a loss is the sum.
        given = [(y, np.asarray(dy)), *((x, np.full(np.shape(x), scale)) for x in self._losses)]
        ends: list[Any] = [
            (end.node, lambda _, gradient=gradient: gradient)
            for end, gradient in given
            if isinstance(end, Taped) and end.node is not None
        ]
        if not ends:
            return {}
        within = [layer for layer in own_layers_within(self) if layer is not self]
        try:
            for layer in within:
                layer._scale_around = scale
            return pull_back(Node((), ends), np.float32(1))
        except NotImplementedError as error:
            raise NotImplementedError(f"{self.label}: its call uses {error}") from None
        finally:
            for layer in within:
                layer._scale_around = 0.0

    def _check_known(self, y: Any, dy: Any) -> None:
        """Raise an error where the result is a plain array, and no constant."""
        if isinstance(y, Taped) or not np.any(np.asarray(dy)) or self._takes_shape_alone():
            return
        raise NotImplementedError(
            f"{self.label}: its call makes a plain array of its input, by which the gradient is "
            "lost; use functions of keras.ops in it, or give the layer a backward(dy, need_dx)"
        )

    def _takes_shape_alone(self) -> bool:
        """Whether the call looks at no number of its input, as one that draws random ones."""
        if self._packing is not None or self._call_input is None:
            return False
        start = Tensor(InputLayer(batch_shape=self._call_input.shape, name="probe"))
        try:
            y = self.call(start)  # type: ignore[attr-defined]
        except (AttributeError, IndexError, NotImplementedError, TypeError, ValueError):
            return False
        return hasattr(y, "__array__")

    def _record(self, x: Any, training: bool) -> Any:
        recording, given = Recording(), watched(x)
        taken = inspect.signature(self.call).parameters  # type: ignore[attr-defined]
        told = {"training": training, "mask": self._taken_mask()}
        options = {name: value for name, value in told.items() if name in taken}
        with recording.opened(), self._watching(recording), self._weights_of_call(training):
            call = self.call  # type: ignore[attr-defined]
            packing = self._packing
            y = call(given, **options) if packing is None else packing.run(call, given, options)
        one_result(self, y)
        self._recorded = recording, given, y
        return y

    def _weights_of_call(self, training: Any) -> contextlib.AbstractContextManager[None]:
        """Return what keeps the weights that a call binds; a layer of a function has none."""
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def _watching(self, recording: Recording) -> Iterator[None]:
        """Within, weights that are attributes are arrays by which gradients can be taken."""
        own = {id(weight) for weight in self.params}
        found = {name: value for name, value in vars(self).items() if id(value) in own}
        try:
            for name, weight in found.items():
                vars(self)[name] = recording.watched(weight)
            yield
        finally:
            vars(self).update(found)


def own_layers_within(owner: Any) -> list[Any]:
    """Return the layers of the user's own in a layer or a model, and that layer itself, once."""
    found: dict[int, Any] = {}
    waiting = [owner]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, OwnCall):
            found[id(one)] = one
        within = getattr(one, "_layers", [])
        waiting += within if isinstance(one, Layer) else flat(within)
    return list(found.values())
