"""Keras's ``Lambda``: a function of the user's own as a layer."""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from pyconv import backend
from pyconv._types import Array
from pyconv.activations.function import Custom
from pyconv.compat._autodiff import unwrapped
from pyconv.compat._own_call import OwnCall


class Lambda(OwnCall):
    """A function of arrays as a layer.

    Its gradient is followed through numpy's functions, those of ``keras.backend``, ``keras.ops``
    and ``tf``. Of what cannot be followed, a function that treats each number by itself has its
    slope taken by differences.

    Args:
        function: called with a batch, or with a list of them.
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

    def call(self, inputs: Any) -> Any:
        """Return the function of the inputs."""
        return self.function(inputs, **self.arguments)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the function of x."""
        self._kept, self._recorded = x, None
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
            x = np.asarray(self._kept)
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
        return np.asarray(unwrapped(self.call(x)))
