"""``tf.Variable``: an array that can be assigned to and has a gradient."""

from typing import Any

import numpy as np

from pyconv.compat import _call_context
from pyconv.compat._autodiff import Node, Taped, unwrapped


class Variable(Taped):
    """An array that can be assigned to; what is computed of it knows its gradient.

    Args:
        initial_value: the values, or a function that returns them.
        trainable: whether training is to change it.
        validate_shape: has no effect.
        caching_device: has no effect.
        name: its name.
        variable_def: has no effect.
        dtype: the type; that of the values by default.
        **kwargs: have no effect.
    """

    trainable = True
    name = "Variable"

    def __new__(
        cls,
        initial_value: Any = None,
        trainable: bool = True,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> "Variable":
        """Make the array."""
        given = initial_value() if callable(initial_value) else initial_value
        values = np.array(unwrapped(given))
        if dtype is None:
            dtype = np.float32 if values.dtype.kind == "f" else np.int32
        variable = values.astype(dtype).view(cls)
        variable.node = Node(variable.shape)
        variable.trainable = bool(trainable)
        variable.name = name or "Variable"
        return variable

    def assign(self, value: Any, *args: Any, **kwargs: Any) -> "Variable":
        """Set the values.

        Raises:
            ValueError: the shape is another.
        """
        _call_context.check_assigned()
        values = np.asarray(unwrapped(value))
        if values.shape != self.shape:
            raise ValueError(
                f"tf.Variable {self.name!r}: assign wants shape {self.shape}, got {values.shape}"
            )
        self.view(np.ndarray)[...] = values
        return self

    def assign_add(self, delta: Any, *args: Any, **kwargs: Any) -> "Variable":
        """Add to the values."""
        return self.assign(self.view(np.ndarray) + np.asarray(unwrapped(delta)))

    def assign_sub(self, delta: Any, *args: Any, **kwargs: Any) -> "Variable":
        """Subtract from the values."""
        return self.assign(self.view(np.ndarray) - np.asarray(unwrapped(delta)))

    def read_value(self) -> Any:
        """Return the array itself."""
        return self

    value = read_value

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)
