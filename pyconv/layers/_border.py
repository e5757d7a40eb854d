"""What layers share that put a border around lines, images and volumes, or cut one off."""

from typing import Any, ClassVar

from pyconv._args import int_arg, shown
from pyconv._types import Array, Shape
from pyconv.layers._arguments import spatial_shape
from pyconv.layers.layer import Layer

Sides = tuple[tuple[int, int], ...]
_NAMES = {
    1: "(before, after)",
    2: "(height, width) or ((top, bottom), (left, right))",
    3: "(depth, height, width) or ((front, back), (top, bottom), (left, right))",
}


class Border(Layer):
    """A layer of a border: ``sides`` has how many cells there are before and behind each axis."""

    rank: ClassVar[int]
    sides: Sides

    def __init__(self, argument: str, value: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)
        self.sides = sides_arg(self.label, argument, value, self.rank)

    def _sizes(self, shape: Shape, sign: int) -> Shape:
        """Return a shape with the border, or without it where ``sign`` is -1."""
        n, *sizes, c = spatial_shape(self.label, shape, self.rank)
        changed = (
            None if size is None else size + sign * sum(sides)
            for size, sides in zip(sizes, self.sides, strict=True)
        )
        return n, *changed, c

    def _inside(self, shape: tuple[int, ...]) -> tuple[slice, ...]:
        """Return the part of an array of ``shape`` that is within the border."""
        parts = [
            slice(before, size - after)
            for size, (before, after) in zip(shape[1:-1], self.sides, strict=True)
        ]
        return slice(None), *parts

    def _clear(self, array: Array) -> None:
        """Set the border of an array to 0."""
        within: list[slice] = [slice(None)]
        for size, (before, after) in zip(array.shape[1:-1], self.sides, strict=True):
            for end in (slice(0, before), slice(size - after, size)):
                key = (*within, end)
                array[key] = 0
            within.append(slice(before, size - after))


def sides_arg(owner: str, name: str, value: Any, rank: int) -> Sides:
    """Return the cells before and behind each axis.

    ``value`` is an integer for all sides, or one for each axis, or (before, after) for each. On
    lines it is an integer or (before, after).
    """
    wanted = f"{owner}: {name} must be an integer, {_NAMES[rank]}, got {shown(value)}"
    if not isinstance(value, (tuple, list)):
        if isinstance(value, str):
            raise ValueError(wanted)
        number = int_arg(owner, name, value, 0)
        return ((number, number),) * rank
    axes = [value] if rank == 1 else list(value)
    if len(axes) != rank:
        raise ValueError(wanted)
    sides = []
    for axis, given in enumerate(axes):
        where = name if rank == 1 else f"{name}[{axis}]"
        if isinstance(given, str):
            raise ValueError(wanted)
        pair = given if isinstance(given, (tuple, list)) else (given, given)
        if len(pair) != 2:
            raise ValueError(wanted)
        before, after = (int_arg(owner, f"{where}[{i}]", one, 0) for i, one in enumerate(pair))
        sides.append((before, after))
    return tuple(sides)
