"""Initializers that draw nothing."""

from typing import Any

import numpy as np

from pyconv import _targets
from pyconv._types import Array
from pyconv.initializers.base import Initializer, number, shape_of


class Zeros(Initializer):
    """All 0.

    Example:
        >>> from pyconv import initializers
        >>> initializers.Zeros()((2,))
        array([0., 0.], dtype=float32)
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        return np.zeros(shape_of(self, shape, dtype), np.float32)


class Ones(Initializer):
    """All 1.

    Example:
        >>> from pyconv import initializers
        >>> initializers.Ones()((2,))
        array([1., 1.], dtype=float32)
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        return np.ones(shape_of(self, shape, dtype), np.float32)


class Identity(Initializer):
    """``gain`` times the identity matrix; only for shapes of two axes.

    Args:
        gain: the factor.

    Raises:
        TypeError, ValueError: ``gain`` is not a number; or, when it is called, the shape is
            another.

    Example:
        >>> from pyconv import initializers
        >>> initializers.Identity(2.0)((2, 3))
        array([[2., 0., 0.],
               [0., 2., 0.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = number(self, "gain", gain)

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        shape = shape_of(self, shape, dtype)
        if len(shape) != 2:
            raise ValueError(
                "Identity: Identity matrix initializer can only be used for 2D matrices, got "
                f"shape={shape}"
            )
        return np.asarray(self.gain * np.eye(*shape), np.float32)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


class Constant(Initializer):
    """All ``value``, a number, or an array that is repeated to the shape.

    Args:
        value: the number, or the array.

    Raises:
        TypeError, ValueError: it holds no numbers; or, when it is called, it does not fit the
            shape.

    Example:
        >>> from pyconv import initializers
        >>> initializers.Constant(0.5)((2,))
        array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, value: Any = 0.0) -> None:
        if isinstance(value, dict):  # as plain data
            from pyconv.serialization import deserialize_keras_object

            value = deserialize_keras_object(value)
        self.value: Any = value
        if not isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value) == 0:
            self.value = number(self, "value", value)
        else:
            _targets.numeric("Constant", "value", value)

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        wanted = shape_of(self, shape, dtype)
        try:
            return np.full(wanted, self.value, np.float32)
        except ValueError:
            raise ValueError(
                f"{type(self).__name__}: value of shape {np.shape(self.value)} does not fit the "
                f"shape {wanted}"
            ) from None

    def get_config(self) -> dict[str, Any]:
        from pyconv.serialization import serialize_keras_object

        return {"value": serialize_keras_object(self.value)}


class Given(Constant):
    """The values of an array of the same shape."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        if tuple(shape) != np.shape(self.value):
            raise ValueError(
                f"Expected `shape` to be {np.shape(self.value)} for an array as the initializer, "
                f"got shape={tuple(shape)}"
            )
        return super().__call__(shape, dtype)
