"""Numbers that can also be asked and set as Keras's variables are."""

from typing import Any

import numpy as np


class Number(float):
    """A result, such as a loss: a float that has ``numpy()``, ``dtype`` and ``shape``."""

    dtype = np.dtype(np.float32)
    shape: tuple[int, ...] = ()
    ndim = 0

    def numpy(self) -> Any:
        """Return the number as numpy has it."""
        return np.float32(self)

    def item(self) -> float:
        """Return the number as Python has it."""
        return float(self)

    def __reduce__(self) -> Any:
        return float, (float(self),)


class Count(int):
    """A whole number that has ``numpy()``."""

    @property
    def value(self) -> int:
        """The number."""
        return int(self)

    def numpy(self) -> Any:
        """Return the number as numpy has it."""
        return np.int64(self)


class Rate(float):
    """The learning rate of an optimizer: a float that has ``numpy()`` and ``assign()``."""

    _owner: Any

    def __new__(cls, value: float, owner: Any) -> "Rate":
        """Make the number, which knows the optimizer that it is set in."""
        rate = super().__new__(cls, value)
        rate._owner = owner
        return rate

    def numpy(self) -> Any:
        """Return the number as numpy has it."""
        return np.float32(self)

    @property
    def value(self) -> float:
        """The number."""
        return float(self)

    def assign(self, value: Any) -> None:
        """Set the optimizer's learning rate."""
        self._owner.learning_rate = value

    set_value = assign  # of Theano's variables

    def get_value(self) -> Any:
        """Return the number as numpy has it, by the name of Theano's variables."""
        return self.numpy()

    def __reduce__(self) -> Any:
        # A copy is a number: the optimizer that it was of makes its own.
        return float, (float(self),)
