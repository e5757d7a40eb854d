"""Arrays as TensorFlow returns them: those of numpy, with ``numpy()``."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from pyconv._scalars import Number
from pyconv.compat._tensor_shape import TensorShape, dimensions

_shape: Any = np.ndarray.shape
_shape_of = _shape.__get__


class EagerArray(np.ndarray[Any, Any]):
    """An array of numpy that has ``numpy()`` as well, and may have a mask."""

    _keras_mask: Any = None

    def numpy(self) -> Any:
        """Return the array; a number of no axes as a number, a text as bytes."""
        value = np.asarray(self)
        return np.char.encode(value)[()] if value.dtype.kind == "U" else value[()]

    def __hash__(self) -> int:  # type: ignore[override]
        """Return that of a number, so that the parts of a row may be in sets and keys of dicts."""
        if self.ndim:
            raise TypeError(f"unhashable type: {type(self).__name__!r}")
        return hash(self.item())

    def __getitem__(self, key: Any) -> Any:
        return eager(super().__getitem__(key))

    def activated(self, function: Any) -> Any:
        """Return what an activation function makes of the array."""
        return eager(function(np.asarray(self)))

    @property
    def shape(self) -> TensorShape:
        """The sizes, with the methods that TensorFlow's shapes have."""
        return TensorShape(_shape_of(self))

    @shape.setter
    def shape(self, sizes: Any) -> None:
        _shape.__set__(self, sizes)

    def get_shape(self) -> TensorShape:
        """Return the shape, as TensorFlow 1 has it."""
        return dimensions(self.shape)


class EagerFunction:
    """An activation function whose results are such arrays; layers are given ``function``."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.__name__ = function.name

    def __call__(self, x: Any, *args: Any, name: str | None = None, **kwargs: Any) -> Any:
        return eager(self.function(x, *args, **kwargs))


def array_of(x: Any) -> Any:
    """Return what numpy's functions take: a tensor as it is, all else as an array."""
    return x if hasattr(x, "activated") else np.asanyarray(x)


def eager(x: Any) -> Any:
    """Return an array, or a number, as an ``EagerArray``; of a tuple or a list each part."""
    if isinstance(x, (tuple, list)):
        return type(x)(eager(part) for part in x)
    if x is None or hasattr(x, "activated"):  # a size that is not known, one already, a tensor
        return x
    values = x.numpy() if isinstance(x, Number) else x
    return np.asarray(values).view(EagerArray)


def eagerly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with such a result."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return eager(function(*args, **kwargs))

    return run
