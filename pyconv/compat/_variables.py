"""What variables have in TensorFlow, beside what Keras gives them."""

from typing import Any

from pyconv.compat import _call_context
from pyconv.compat._tensor_shape import TensorShape, dimensions
from pyconv.variable import Variable


def get_shape(self: Any) -> TensorShape:
    """Return the shape, as TensorFlow 1 has it."""
    return dimensions(self.shape)


def extend() -> None:
    """Give them to ``pyconv.variable.Variable``."""
    added: Any = Variable
    added.get_shape = get_shape
    added.before_assign = staticmethod(_call_context.check_assigned)
