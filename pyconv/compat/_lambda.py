"""Keras's ``Lambda``: a function of the user's own as a layer."""

import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pyconv import backend, serialization
from pyconv._types import Array
from pyconv.activations.function import Custom
from pyconv.compat import _era, _known_functions
from pyconv.compat._autodiff import unwrapped
from pyconv.compat._bound import bound
from pyconv.compat._own_call import OwnCall
from pyconv.compat.keras import ops
from pyconv.custom_objects import get_registered_object


class Lambda(OwnCall):
    """A function of arrays as a layer.

    Its gradient is followed through numpy's functions, those of ``keras.backend``, ``keras.ops``
    and ``tf``. Of what cannot be followed, a function that treats each number by itself has its
    slope taken by differences.

    Files have the name of the function: it is one of ``keras.ops``, or of the user's own, found by
    its name. The code of a ``lambda`` is written for Keras to read, but never run from a file: it
    is found where the program gave a ``Lambda`` the same code before.

    Args:
        function: called with a batch, or with a list of them.
        output_shape: has no effect: the function's result has its shape.
        mask: None, or the mask of the result of a call on arrays.
        arguments: more arguments by name, a dict.
        **kwargs: ``name``, ``trainable``, ``input_shape`` of ``Layer``.

    Raises:
        TypeError: ``function`` cannot be called.

    Example:
        >>> import numpy as np, pyconv.compat.keras as keras
        >>> keras.layers.Lambda(lambda x: x / 255)(np.array([[51.0]])).tolist()
        [[0.20000000298023224]]
    """

    _bound: Any = None

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"{self.label}: function must be one, got a {type(function).__name__}")
        self.function = function
        for given in (function, output_shape, mask):
            _known_functions.remember(given)
        self.arguments = dict(arguments or {})
        self._given = {"output_shape": output_shape, "mask": mask}
        if mask is not None:
            self.supports_masking = self._makes_mask = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask that the layer was given."""
        own = self._given["mask"]
        return own(inputs, mask) if callable(own) else own

    def call(self, inputs: Any) -> Any:
        """Return the function of the inputs."""
        return (self._bound or self.function)(inputs, **self.arguments)

    def build(self, input_shape: Any) -> None:
        """Take up the shape; under Keras 2 what the function takes from around is that of now."""
        if self._bound is None and _era.is_keras2():
            self._bound = bound(self.function)
        super().build(input_shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the function of x."""
        self._call_input, self._recorded = x, None
        result: Array = backend.float32(self._recorded_or_not(x) if training else self._called(x))
        return result

    def _recorded_or_not(self, x: Array) -> Any:
        try:
            return np.asarray(unwrapped(self._record(x, True)))
        except NotImplementedError:
            return self._called(x)

    def backward(self, dy: Array, need_dx: bool) -> Any:
        """Return the gradient of the inputs where it is needed.

        Raises:
            NotImplementedError: the function cannot be followed, and does not treat each number by
                itself.
        """
        if not need_dx:
            return None
        try:
            return super().backward(dy, need_dx)
        except NotImplementedError as error:
            x = np.asarray(self._call_input)
            if not self._is_elementwise(x):
                raise NotImplementedError(
                    f"{error}; its function does not treat each number by itself, so that its "
                    "slope is not taken by differences"
                ) from None
            return backend.on_device(np.asarray(dy) * Custom(self._called).slope(x))

    def _is_elementwise(self, x: Array) -> bool:
        """Whether the function treats each number by itself, as far as two of them tell."""
        y = self._called(x)
        if y.shape != x.shape:
            return False
        for corner in ((slice(0, 1),) * x.ndim, (slice(-1, None),) * x.ndim):
            if not np.allclose(self._called(x[corner]), y[corner], 1e-5, 1e-6, equal_nan=True):
                return False
        return True

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data.

        Raises:
            NotImplementedError: the function has no name to be found by, or is a ``lambda`` that
                takes from around it what is no plain data.
        """
        config = {**super().get_config(), "function": self._described(self.function)}
        config.update({n: self._described(v) for n, v in self._given.items() if v is not None})
        return {**config, "arguments": serialization.serialize_keras_object(self.arguments)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: bool | None = None
    ) -> Any:
        """Return a new layer of what ``get_config`` returned.

        Args:
            config: the configuration.
            custom_objects: functions of your own by name.
            safe_mode: has no effect: code in a configuration is never run.

        Raises:
            TypeError: a function is not known.
            ValueError: the configuration has the code of a ``lambda`` that the program has not.
        """
        made = dict(config)
        for name in ("function", "output_shape", "mask", "arguments"):
            if isinstance(made.get(name), (Mapping, str)):
                made[name] = _found(made[name], custom_objects)
        return cls(**made)

    def _described(self, value: Any) -> Any:
        if not callable(value):
            return serialization.serialize_keras_object(value)
        name = next((name for name in ops.__all__ if getattr(ops, name) is value), None)
        if name is not None:
            return {
                "module": "keras.ops",
                "class_name": "function",
                "config": name,
                "registered_name": name,
            }
        is_function = isinstance(value, types.FunctionType)
        if is_function and value.__name__ == "<lambda>" and _known_functions.is_plain(value):
            return _known_functions.described(value)
        if not is_function or value.__name__ == "<lambda>":
            raise NotImplementedError(
                f"{self.label}: the code of a function cannot be written to a file or copied; "
                "define a function with def and give it by name in custom_objects, or write the "
                "weights by save_weights"
            )
        return serialization.serialize_keras_object(value)

    def _called(self, x: Any) -> Any:
        return np.asarray(unwrapped(self.call(x)))


Lambda.__module__ = "pyconv.compat.keras.layers"


def _found(config: Any, custom_objects: Any) -> Any:
    """Return the function of a description or a name, or what else is described."""
    if isinstance(config, str):
        own = get_registered_object(config, custom_objects) or _known_functions.find(config)
        if own is None and config not in ops.__all__:
            raise TypeError(
                f"Lambda: the function {config!r:.60} is not known; give it in custom_objects"
            )
        return getattr(ops, config) if own is None else own
    name = config.get("config")
    if config.get("module") == "keras.ops" and name in ops.__all__:
        return getattr(ops, name)
    if config.get("class_name") == "__lambda__" and isinstance(name, Mapping):
        own = _known_functions.find(str(name.get("key")))
        if own is not None:
            return own
    elif config.get("class_name") == "function" and name not in (custom_objects or {}):
        own = _known_functions.find(str(name))
        if own is not None:
            return own
    return serialization.make(config, custom_objects, "pyconv.compat.keras")
