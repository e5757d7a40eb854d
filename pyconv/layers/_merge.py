"""The base of layers of several inputs, which bring the branches of a ``Graph`` together."""

from typing import Any, ClassVar

import numpy as np

from pyconv import backend
from pyconv._args import shown
from pyconv._convert import float32_array
from pyconv._types import Array, Shape
from pyconv.layers._arguments import shape_arg
from pyconv.layers.layer import Layer


class Merge(Layer):
    """A layer of several inputs: shapes and arrays, and the gradients back, are lists of them.

    A new one implements ``_merged_shape(shapes)``, ``_merge(xs)`` and ``_split(dy)``; ``_xs`` are
    the inputs of the last ``_merge``.
    """

    least: ClassVar[int] = 1
    most: ClassVar[int | None] = None
    _xs: list[Array]

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape that inputs of these shapes, a list, give."""
        if not isinstance(input_shape, (list, tuple)) or not all(
            isinstance(shape, (list, tuple)) for shape in input_shape
        ):
            raise ValueError(
                f"{self.label}: A merge layer should be called on a list of inputs, got "
                f"{shown(input_shape)}"
            )
        shapes = [shape_arg(self.label, f"input_shape[{i}]", s) for i, s in enumerate(input_shape)]
        if len(shapes) < self.least or (self.most is not None and len(shapes) > self.most):
            wanted = f"exactly {self.least}" if self.most else f"at least {self.least}"
            raise ValueError(
                f"{self.label}: A merge layer should be called on a list of {wanted} inputs, got "
                f"{len(shapes)}. A `{type(self).__name__}` layer should be called on {wanted} "
                "inputs."
            )
        return self._merged_shape(shapes)

    def _input_shape_arg(self, value: Any) -> Any:
        self.compute_output_shape(value)
        return [tuple(shape) for shape in value]

    def forward(self, x: Any, training: bool) -> Array:
        """Return the result of the arrays ``x``."""
        self._xs = list(x)
        return self._merge(self._xs)

    def backward(self, dy: Array, need_dx: bool) -> Any:
        """Return the gradients of the arrays, a list, where they are needed."""
        return self._split(dy) if need_dx else None

    def __call__(self, x: Any, training: bool = False) -> Array:
        """Return the result for a list of batches, as a fresh array.

        Raises:
            TypeError: they do not hold numbers.
            ValueError: there are too few or too many, or their shapes do not fit.
        """
        if not isinstance(x, (list, tuple)):
            raise ValueError(
                f"{self.label}: A merge layer should be called on a list of inputs, got {shown(x)}"
            )
        batches = [float32_array(self.label, f"x[{i}]", part) for i, part in enumerate(x)]
        shapes: Any = [(None, *part.shape[1:]) for part in batches]
        self.build(shapes)
        self.compute_output_shape([part.shape for part in batches])
        return np.array(self.forward([backend.on_device(part) for part in batches], training))

    def _merged_shape(self, shapes: list[Shape]) -> Shape:
        raise NotImplementedError

    def _merge(self, xs: list[Array]) -> Array:
        raise NotImplementedError

    def _split(self, dy: Array) -> list[Array]:
        raise NotImplementedError
