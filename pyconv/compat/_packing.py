"""Calls of layers with weights of their own that take or give several tensors.

Within a model such a layer has one input and one result: the arrays of a sample side by side.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyconv._derived import Derived
from pyconv.compat._eager import eager
from pyconv.compat._operation import operation
from pyconv.compat._tensor import Tensor
from pyconv.compat._trees import filled, leaves, mapped


class Packing:
    """How the arguments of a call lie side by side, and its results.

    Args:
        label: what errors call the layer.
        arguments: what the call is given, by name, with tensors in it.

    Raises:
        NotImplementedError: a size of a tensor is not known, but for that of the batch.
    """

    def __init__(self, label: str, arguments: dict[str, Any]) -> None:
        self.tensors = [part for part in leaves(arguments) if isinstance(part, Tensor)]
        self.shapes: list[Any] = [tensor.sizes[1:] for tensor in self.tensors]
        if any(None in shape for shape in self.shapes):
            raise NotImplementedError(
                f"{label}: with weights of its own and several inputs or results it must know "
                f"their sizes, got {[tensor.sizes for tensor in self.tensors]}"
            )
        numbers = iter(range(len(self.tensors)))
        self._arguments = mapped(
            lambda part: _At(next(numbers)) if isinstance(part, Tensor) else part, arguments
        )
        self._result: Any = None  # the form of the results
        self._result_shapes: list[tuple[int, ...]] = []

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of a sample of what lies side by side."""
        one = len(self.shapes) == 1
        return tuple(self.shapes[0]) if one else (sum(map(math.prod, self.shapes)),)

    def tensor(self) -> Tensor:
        """Return the tensor of the arguments."""
        if len(self.tensors) == 1:
            return self.tensors[0]
        made: Tensor = operation(_side_by_side, [self.tensors], {})
        return made

    def run(self, call: Any, x: Any, options: dict[str, Any]) -> Any:
        """Return what the call makes of what lies side by side in ``x``."""
        parts = [x] if len(self.shapes) == 1 else _parts(x, self.shapes)
        given = mapped(lambda p: parts[p.number] if isinstance(p, _At) else p, self._arguments)
        told = {name: value for name, value in options.items() if given.get(name) is None}
        y = call(**{**given, **told})
        if hasattr(y, "__array__"):
            return y
        self._result = mapped(lambda _: None, y)
        found = leaves(y)
        self._result_shapes = [tuple(np.shape(part)[1:]) for part in found]
        return _side_by_side(found)

    def results(self, tensor: Tensor) -> Any:
        """Return the tensors of the results, in their form."""
        if not self._result_shapes:
            return tensor
        shapes = self._result_shapes
        made = [
            operation(lambda x, at=at: _parts(x, shapes)[at], [tensor], {})
            for at in range(len(shapes))
        ]
        return filled(self._result, iter(made))


class Packed(Derived):
    """A layer that is called so: models see the shapes of what lies side by side."""

    def compute_output_shape(self: Any, input_shape: Any) -> Any:
        """Return the shape for that of an input; a method of the user's own has the others'."""
        if tuple(input_shape[1:]) != self._packing.sizes:
            return super().compute_output_shape(input_shape)  # type: ignore[misc]
        zeros = np.zeros([2 if n is None else n for n in input_shape], np.float32)
        with self.unchanged():
            packed = self._packing.run(self.call, eager(zeros), {})
        return (input_shape[0], *np.shape(packed)[1:])


class _At:
    """The place of a tensor among the arguments."""

    def __init__(self, number: int) -> None:
        self.number = number


def _side_by_side(arrays: Sequence[Any]) -> Any:
    return np.concatenate([np.reshape(part, (len(part), -1)) for part in arrays], axis=1)


def _parts(x: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    return [
        np.reshape(x[:, end - math.prod(shape) : end], (len(x), *shape))
        for end, shape in zip(ends, shapes, strict=True)
    ]
