"""The product of two inputs along an axis of each."""

import math
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import ArgumentTypeError, bool_arg, int_arg, shown
from pyconv._types import Array, Shape
from pyconv.layers._merge import Merge

_EPSILON = 1e-7  # Keras's, the least length that normalize divides by


class Dot(Merge):
    """The sum of products of two inputs along an axis of each, sample by sample.

    Computed by numpy.

    Args:
        axes: the axis of both inputs, or a tuple of that of each; not 0, the batch.
        normalize: whether the inputs are first divided by their lengths along these axes: the
            result is the cosine between them.
        **kwargs: ``name``, ``trainable``, ``dtype`` of ``Layer``.

    Input shape:
        A list of two shapes, equally long along the axes: ``(N, a, k)`` and ``(N, b, k)``.

    Output shape:
        The other axes of the first and then of the second: ``(N, a, b)``; ``(N, 1)`` where there
        are none.

    Raises:
        TypeError: ``axes`` is no integer or tuple of two.
        ValueError: an axis is that of the batch, or the shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
        >>> pyconv.layers.Dot(axes=1)([a, b])
        array([[11.]], dtype=float32)
    """

    least, most = 2, 2

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, (int, np.integer, list, tuple)):
            raise ArgumentTypeError(
                f"{self.label}: axes must be an integer or a tuple of two, got {shown(axes)}. "
                "Invalid type for argument `axes`: it should be a list or an int."
            )
        if isinstance(axes, (list, tuple)) and len(axes) != 2:
            raise ValueError(
                f"{self.label}: axes must be an integer or a tuple of two, got {shown(axes)}. "
                "Invalid format for argument `axes`: it should contain two elements."
            )
        self.axes = axes
        both = axes if isinstance(axes, (list, tuple)) else (axes, axes)
        if not all(isinstance(axis, (int, np.integer)) for axis in both):
            raise ValueError(
                f"{self.label}: axes must be integers, got {shown(axes)}. Invalid format for "
                "argument `axes`: list elements should be integers."
            )
        self._both = [int_arg(self.label, "axes", axis, -32, 32) for axis in both]
        self.normalize = bool_arg(self.label, "normalize", normalize)

    def _axes_of(self, shapes: list[Shape]) -> list[int]:
        found = []
        for axis, shape in zip(self._both, shapes, strict=True):
            rank = len(shape)
            if not -rank <= axis < rank or axis % rank == 0:
                raise ValueError(
                    f"{self.label}: axes must be axes of the inputs beside the batch, got "
                    f"{self.axes} and inputs {', '.join(map(str, shapes))}"
                )
            found.append(axis % rank)
        return found

    def _merged_shape(self, shapes: list[Shape]) -> Shape:
        a, b = self._axes_of(shapes)
        first, second = shapes
        if first[a] is None or first[a] != second[b]:
            raise ValueError(
                f"{self.label}: Incompatible input shapes: axis values {first[a]} (at axis {a}) "
                f"!= {second[b]} (at axis {b}). Full input shapes: {first}, {second}"
            )
        batch = second[0] if first[0] is None else first[0]
        rest = (*first[1:a], *first[a + 1 :], *second[1:b], *second[b + 1 :])
        return (batch, *(rest or (1,)))

    def _merge(self, xs: list[Array]) -> Array:
        self._axes = self._axes_of([x.shape for x in xs])
        rows = [
            _rows(np.asarray(x), axis).astype(np.float64)
            for x, axis in zip(xs, self._axes, strict=True)
        ]
        self._lengths = [np.linalg.norm(part, axis=-1, keepdims=True) for part in rows]
        if self.normalize:
            rows = [
                part / np.maximum(length, _EPSILON)
                for part, length in zip(rows, self._lengths, strict=True)
            ]
        self._rows = rows
        y = rows[0] @ rows[1].transpose(0, 2, 1)
        shape = self._merged_shape([x.shape for x in xs])
        result: Array = backend.on_device(y.astype(np.float32).reshape(shape))
        return result

    def _split(self, dy: Array) -> list[Array]:
        first, second = self._rows
        grad = np.asarray(dy, np.float64).reshape(len(dy), first.shape[1], second.shape[1])
        grads = [grad @ second, grad.transpose(0, 2, 1) @ first]
        results: list[Array] = []
        for i, part in enumerate(grads):
            if self.normalize:
                unit, length = self._rows[i], self._lengths[i]
                # Along the row nothing changes, but where the length itself was not divided by.
                along = (part * unit).sum(axis=-1, keepdims=True) * (length > _EPSILON)
                part = (part - unit * along) / np.maximum(length, _EPSILON)
            results.append(_unrowed(part, self._xs[i].shape, self._axes[i]))
        return results

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def _rows(x: Any, axis: int) -> Any:
    """Return (N, rest, k): the axis at the end, all others beside the batch as one."""
    turned = np.moveaxis(x, axis, -1)
    return turned.reshape(len(x), math.prod(turned.shape[1:-1]), turned.shape[-1])


def _unrowed(rows: Any, shape: tuple[int, ...], axis: int) -> Array:
    turned = (*shape[:axis], *shape[axis + 1 :], shape[axis])
    back = np.moveaxis(rows.reshape(turned), -1, axis)
    result: Array = backend.on_device(np.ascontiguousarray(back, np.float32))
    return result
