"""Keras's ``Lambda``: a function of the user's own as a layer."""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from pyconv import backend
from pyconv._types import Array, Shape
from pyconv.activations.function import Custom
from pyconv.layers.layer import Layer


class Lambda(Layer):
    """A function of arrays as a layer.

    There is no automatic differentiation: a function that treats each number by itself has its
    slope taken by differences; behind any other one only layers that do not train may stand.

    Args:
        function: called with a batch, an array of numpy's.
        output_shape: has no effect: the function's result has its shape.
        mask: has no effect.
        arguments: more arguments by name, a dict.
        **kwargs: ``name``, ``trainable``, ``input_shape`` of ``Layer``.

    Raises:
        TypeError: ``function`` cannot be called.

    Example:
        >>> import numpy as np, pyconv.compat.keras as keras
        >>> keras.layers.Lambda(lambda x: x / 255)(np.array([[51.0]])).tolist()
        [[0.20000000298023224]]
    """

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
        self.arguments = dict(arguments or {})
        self._x: Array | None = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of what the function gives."""
        sizes = tuple(1 if size is None else size for size in input_shape)
        result: Shape = np.shape(self._called(np.zeros(sizes, np.float32)))
        return (input_shape[0], *result[1:])

    def forward(self, x: Array, training: bool) -> Array:
        """Return the function of x."""
        self._x = x
        result: Array = backend.float32(self._called(np.asarray(x)))
        return result

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x where it is needed.

        Raises:
            NotImplementedError: the function does not treat each number by itself.
        """
        if not need_dx:
            return None
        assert self._x is not None
        x = np.asarray(self._x)
        if not self._is_elementwise(x):
            raise NotImplementedError(
                f"{self.label}: its gradient is needed, but its function does not treat each "
                "number by itself, and there is no automatic differentiation; use layers in its "
                "place, or a subclass of keras.layers.Layer with forward and backward"
            )
        own: Array = backend.on_device(np.asarray(dy) * Custom(self._called).slope(x))
        return own

    def _is_elementwise(self, x: Array) -> bool:
        """Whether the function treats each number by itself, as far as two of them tell."""
        y = self._called(x)
        if y.shape != x.shape:
            return False
        for corner in ((slice(0, 1),) * x.ndim, (slice(-1, None),) * x.ndim):
            if not np.allclose(self._called(x[corner]), y[corner], 1e-5, 1e-6, equal_nan=True):
                return False
        return True

    def get_config(self) -> NoReturn:
        """Raise an error: a function cannot be written down.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            f"{self.label}: a function cannot be written to a file or copied; save_weights writes "
            "the weights, and a subclass of keras.layers.Layer has a configuration"
        )

    def _called(self, x: Any) -> Any:
        return np.asarray(self.function(x, **self.arguments))
