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
from pyconv.compat._autodiff import Taped, pull_back, unwrapped, watched
from pyconv.compat._recording import Recording
from pyconv.layers.layer import Layer, own_call


class OwnCall(Layer):
    """What ``keras.layers.Layer`` has for layers that define ``call`` and no ``backward``."""

    _recorded: tuple[Any, Taped, Any] | None = None  # (parameters, input, result) of the last call
    _kept: Array | None = None

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
        self._kept, self._recorded = x, None
        if not training:
            return super().forward(x, training)
        result: Array = backend.float32(np.asarray(unwrapped(self._record(x, True))))
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
            self._record(self._kept, False)
        assert self._recorded is not None
        recording, x, y = self._recorded
        try:
            found = pull_back(y.node, np.asarray(dy)) if isinstance(y, Taped) and y.node else {}
        except NotImplementedError as error:
            raise NotImplementedError(f"{self.label}: its call uses {error}") from None
        if y is x or (not found and (need_dx or self.params)):
            found = self._of_none(x, y, dy)
        for weight, grad in zip(self.params, self.grads, strict=True):
            used = recording.parameters.get(id(weight))
            part = 0 if used is None else found.get(used[1], 0)
            grad[...] = backend.on_device(np.asarray(part, np.float32))
        if not need_dx:
            return None
        dx = found.get(x.node) if x.node is not None else None
        whole = np.zeros(x.shape, np.float32) if dx is None else np.array(dx, np.float32)
        result: Array = backend.on_device(whole)
        return result

    def _of_none(self, x: Any, y: Any, dy: Any) -> dict[Any, Any]:
        """Return the gradients of a result that is the input itself, or a constant."""
        if y is x:
            return {x.node: np.asarray(dy)}
        if isinstance(y, Taped) or not np.any(np.asarray(dy)):
            return {}
        raise NotImplementedError(
            f"{self.label}: its call makes a plain array of its input, by which the gradient is "
            "lost; use functions of keras.ops in it, or give the layer a backward(dy, need_dx)"
        )

    def _record(self, x: Any, training: bool) -> Any:
        recording, given = Recording(), watched(x)
        taken = inspect.signature(self.call).parameters  # type: ignore[attr-defined]
        told = {"training": training, "mask": self._taken_mask()}
        options = {name: value for name, value in told.items() if name in taken}
        with recording.opened(), self._watching(recording):
            y = self.call(given, **options)  # type: ignore[attr-defined]
        self._recorded = recording, given, y
        return y

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
