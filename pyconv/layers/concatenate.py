"""The layer that puts its inputs side by side."""

from collections.abc import Sequence
from typing import Any, cast

from pyconv import backend
from pyconv._args import int_arg
from pyconv._types import Array, Shape
from pyconv.layers._merge import Merge


class Concatenate(Merge):
    """The inputs side by side along an axis.

    Args:
        axis: the axis, by default the last one, the channels; not 0, that of the batch.
        **kwargs: ``name``, ``trainable``, ``dtype`` of ``Layer``.

    Input shape:
        A list of shapes that are equal but for the axis, whose sizes are known.

    Output shape:
        The axis is as long as those of all inputs together.

    Raises:
        TypeError: ``axis`` is not an integer.
        ValueError: ``axis`` is that of the batch, or the shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> x, y = np.ones((1, 8, 8, 2)), np.ones((1, 8, 8, 3))
        >>> pyconv.layers.Concatenate()([x, y]).shape
        (1, 8, 8, 5)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = int_arg(self.label, "axis", axis, -64, 63)
        if self.axis == 0:
            raise ValueError(f"{self.label}: axis must not be 0, that of the batch")

    def _merged_shape(self, shapes: list[Shape]) -> Shape:
        first = shapes[0]
        axis = int_arg(self.label, "axis", self.axis, -len(first), len(first) - 1) % len(first)
        rest = [(*shape[:axis], None, *shape[axis + 1 :]) for shape in shapes]
        sizes = [shape[axis] if axis < len(shape) else None for shape in shapes]
        if axis == 0 or None in sizes or any(not _agree(rest[0], other) for other in rest):
            raise ValueError(
                f"{self.label}: A Concatenate layer requires inputs with matching shapes except "
                f"for the concatenation axis, {self.axis}, whose size must be known; got "
                f"{', '.join(map(str, shapes))}"
            )
        return (*first[:axis], sum(size or 0 for size in sizes), *first[axis + 1 :])

    def _merge(self, xs: list[Array]) -> Array:
        shapes = [x.shape for x in xs]
        y = self._buffer("y", cast("tuple[int, ...]", self._merged_shape(list(shapes))))
        if self._is_last:
            return backend.active.concat_forward(xs, y)
        for x, place in zip(xs, self._places(shapes), strict=True):
            y[place] = x
        return y

    def _split(self, dy: Array) -> list[Array]:
        parts = [self._buffer(f"dx {i}", x.shape) for i, x in enumerate(self._xs)]
        if self._is_last:
            backend.active.concat_backward(dy, parts)
        else:
            for part, place in zip(parts, self._places([p.shape for p in parts]), strict=True):
                part[...] = dy[place]
        return parts

    @property
    def _is_last(self) -> bool:
        return self.axis in (-1, self._xs[0].ndim - 1)

    def _places(self, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
        """Return where in the result each input is."""
        axis, at, places = self.axis % len(shapes[0]), 0, []
        for shape in shapes:
            places.append((slice(None),) * axis + (slice(at, at + shape[axis]),))
            at += shape[axis]
        return places

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}


def _agree(a: Shape, b: Shape) -> bool:
    """Whether two shapes are equal where both know the size."""
    return len(a) == len(b) and all(
        m == n or m is None or n is None for m, n in zip(a, b, strict=True)
    )
