"""Shapes as TensorFlow has them: tuples with methods."""

import math
from typing import Any

from pyconv._types import Shape


class _Dimension(int):
    """A size of TensorFlow 1."""

    @property
    def value(self) -> int:
        """The size."""
        return int(self)


class TensorShape(tuple[Any, ...]):
    """A shape, which TensorFlow's methods have too.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.Input((28, 28, 1)).shape.as_list()
        [None, 28, 28, 1]
    """

    def as_list(self) -> list[int | None]:
        """Return the sizes in a list."""
        return [None if n is None else int(n) for n in self]

    @property
    def ndims(self) -> int:
        """The number of axes."""
        return len(self)

    rank = ndims

    def num_elements(self) -> int | None:
        """Return the product of the sizes, None where one is not known."""
        return None if None in self else math.prod(self)


def dimensions(sizes: Shape) -> TensorShape:
    """Return a shape whose sizes have a ``value``, as TensorFlow 1 has it."""
    return TensorShape(None if n is None else _Dimension(n) for n in sizes)
