"""How much of a network's input each of its layers sees."""

from dataclasses import dataclass
from typing import Any

from pyconv.layers._container import Container
from pyconv.layers._merge import Merge
from pyconv.layers._windows import HasWindows
from pyconv.layers.dense import Dense
from pyconv.layers.global_avgpool2d import GlobalAveragePooling2D
from pyconv.layers.global_maxpool2d import GlobalMaxPooling2D
from pyconv.layers.graph import Graph
from pyconv.layers.layer import Layer
from pyconv.layers.separable_conv2d import SeparableConv2D

Pair = tuple[int, int]


@dataclass(frozen=True)
class Field:
    """(height, width) of what one number comes from, and the steps between neighbours' fields."""

    size: Pair = (1, 1)
    steps: Pair = (1, 1)
    whole: bool = False  # the whole input
    known: bool = True

    def __str__(self) -> str:
        if not self.known:
            return "?"
        return "all" if self.whole else f"{self.size[0]}x{self.size[1]}"

    def through(self, window: Pair, strides: Pair) -> "Field":
        """Return the field of what takes windows of these numbers."""
        if self.whole or not self.known:
            return self
        size = tuple(n + (w - 1) * s for n, w, s in zip(self.size, window, self.steps, strict=True))
        steps = tuple(s * stride for s, stride in zip(self.steps, strides, strict=True))
        return Field((size[0], size[1]), (steps[0], steps[1]))

    def joined(self, other: "Field") -> "Field":
        """Return the field of what takes numbers of both."""
        if not (self.known and other.known):
            return Field(known=False)
        if self.whole or other.whole:
            return Field(whole=True)
        if self.steps != other.steps:
            return Field(known=False)
        return Field(
            (max(self.size[0], other.size[0]), max(self.size[1], other.size[1])), self.steps
        )


def receptive_fields(layers: list[Layer]) -> dict[int, Field]:
    """Return the fields by the ids of layers in a row, and of those within them.

    Each window of w cells adds w - 1 steps to the field, and multiplies the steps by its stride
    (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016). Padding
    counts as cells; a layer of which this is not known, and all after it, have "?".
    """
    found: dict[int, Field] = {}
    _follow(layers, Field(), found)
    return found


def _follow(layers: list[Layer], field: Field, found: dict[int, Field]) -> Field:
    for layer in layers:
        field = _after(layer, field, found)
        found[id(layer)] = field
    return field


def _after(layer: Any, field: Field, found: dict[int, Field]) -> Field:
    if isinstance(layer, Graph):
        values = [field]
        for inner, sources in layer.nodes:
            taken = values[sources[0]]
            for source in sources[1:]:
                taken = taken.joined(values[source])
            values.append(_follow([inner], taken, found))
        return values[-1]
    if isinstance(layer, Container):
        first, *others = (_follow(path.layers, field, found) for path in layer.paths)
        for other in others:
            first = first.joined(other)
        return first
    if isinstance(layer, (HasWindows, SeparableConv2D)):
        windowed: Any = layer
        return field.through(windowed.receptive_field, windowed.strides)
    if isinstance(layer, (GlobalAveragePooling2D, GlobalMaxPooling2D)):
        return Field(whole=True)
    if not layer.knows_shape:
        return Field(known=False)
    before, after = layer.input_shape, layer.output_shape
    if isinstance(layer, Merge):
        before = before[0]
    if isinstance(layer, Dense) and len(before) == 2:
        return Field(whole=True)
    # Flattening leaves numbers as they are; so does what keeps the image's size, cell by cell.
    same = len(after) == 2 or before[1:3] == after[1:3]
    return field if same else Field(known=False)
