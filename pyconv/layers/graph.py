"""Layers wired to each other as a graph, from one input to one result."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyconv import backend
from pyconv._args import int_arg, shown
from pyconv._types import Array, Shape
from pyconv.layers._container import Container
from pyconv.layers._merge import Merge
from pyconv.layers._path import Path
from pyconv.layers.layer import Layer

# A layer, and the numbers of what it takes: 0 is the graph's input, i what the i-th layer gives.
Node = tuple[Layer, tuple[int, ...]]


@dataclass
class _Segment:
    """Layers in a row, whose results between them nobody else takes."""

    path: Path
    sources: tuple[int, ...]
    result: int

    def input_of(self, values: dict[int, Any]) -> Any:
        """Return what the first layer takes: a list, where it merges."""
        taken = [values[source] for source in self.sources]
        return taken if isinstance(self.path.layers[0], Merge) else taken[0]


class Graph(Container):
    """Layers that take the results of any layers before them; the last one's is the result.

    ``Residual`` and ``Branches`` are the graphs that most networks need.

    Args:
        nodes: a list of pairs of a layer and a list of what it takes, by number: 0 is the graph's
            input, 1 the result of the first layer, 2 that of the second, and so on. Layers such
            as ``Add`` and ``Concatenate`` take several, all others one.
        repeats_names: whether layers may have the name of another, as those of models within a
            model may; files of such a graph need its model.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any that the layers take.

    Output shape:
        That of the last layer's result.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: there is no layer, a number is not that of an earlier one, a result is not
            used, or a layer or a name is there twice.

    Example:
        >>> import numpy as np, pyconv
        >>> from pyconv.layers import Add, Conv2D, Graph
        >>> block = Graph(
        ...     [
        ...         (Conv2D(8, 3, padding="same", activation="relu"), [0]),
        ...         (Conv2D(8, 3, padding="same"), [1]),
        ...         (Add(), [1, 2]),
        ...     ]
        ... )
        >>> block(np.ones((1, 8, 8, 3), "float32")).shape
        (1, 8, 8, 8)
        >>> block.count_params()
        808
    """

    def __init__(self, nodes: Any, *, repeats_names: bool = False, **kwargs: Any) -> None:
        self._nodes: list[Node] = []
        self._repeats_names = repeats_names
        super().__init__(**kwargs)
        self._nodes = self._checked(nodes)
        self._segments = self._cut()
        self._take(*(segment.path for segment in self._segments))

    def _checked(self, nodes: Any) -> list[Node]:
        if not isinstance(nodes, (list, tuple)):
            raise TypeError(f"{self.label}: nodes must be a list of pairs, got {shown(nodes)}")
        found: list[Node] = []
        for i, node in enumerate(nodes):
            if not isinstance(node, (list, tuple)) or len(node) != 2:
                raise TypeError(
                    f"{self.label}: nodes[{i}] must be a layer and a list of what it takes, got "
                    f"{shown(node)}"
                )
            layer, sources = node
            if not isinstance(sources, (list, tuple)) or not sources:
                raise TypeError(
                    f"{self.label}: nodes[{i}] must list the numbers of what the layer takes, got "
                    f"{shown(sources)}"
                )
            if any(layer is other for other, _ in found):
                raise ValueError(
                    f"{self.label}: {layer.label} is there twice; a layer keeps what its gradient "
                    "needs, so that it can be used once: make another one"
                )
            if len(sources) > 1 and not isinstance(layer, Merge):
                raise ValueError(
                    f"{self.label}: nodes[{i}], {getattr(layer, 'label', layer)}, takes one input, "
                    f"got {len(sources)}; bring them together with Add() or Concatenate()"
                )
            owner = f"{self.label}: nodes[{i}]"
            found.append(
                (layer, tuple(int_arg(owner, "a source", source, 0, i) for source in sources))
            )
        if not found:
            raise ValueError(f"{self.label}: nodes must hold at least one layer")
        used = {source for _, sources in found for source in sources}
        unused = [i for i in range(len(found)) if i not in used]
        if unused:
            what = "the input" if unused[0] == 0 else f"the result of nodes[{unused[0] - 1}]"
            raise ValueError(f"{self.label}: nothing takes {what}")
        return found

    def _cut(self) -> list[_Segment]:
        """Return the layers in rows as long as can be, in an order in which they can work."""
        uses = Counter(source for _, sources in self._nodes for source in sources)
        rows: dict[int, tuple[list[Layer], tuple[int, ...]]] = {}  # by what they give
        order: list[list[Layer]] = []
        for number, (layer, sources) in enumerate(self._nodes, 1):
            before = rows.get(sources[0]) if not isinstance(layer, Merge) else None
            if before is not None and uses[sources[0]] == 1:
                before[0].append(layer)
                rows[number] = rows.pop(sources[0])
            else:
                rows[number] = ([layer], sources)
                order.append(rows[number][0])
        made = {
            id(layers): _Segment(Path(self, "nodes", layers), sources, result)
            for result, (layers, sources) in rows.items()
        }
        return [made[id(layers)] for layers in order]

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order of the nodes."""
        return [layer for layer, _ in self._nodes]

    @property
    def nodes(self) -> list[Node]:
        """The layers, each with the numbers of what it takes."""
        return self._nodes

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the last layer's result."""
        shape: Shape = self._shapes(input_shape)[len(self._nodes)]
        return shape

    def inputs_of_paths(self, input_shape: Shape) -> Iterator[tuple[Path, Any]]:
        """Give each path with the shape of its input, or the shapes."""
        shapes = self._shapes(input_shape)
        for segment in self._segments:
            yield segment.path, segment.input_of(shapes)

    def _shapes(self, input_shape: Shape) -> dict[int, Any]:
        """Return the shapes of the input and of all results by number."""
        shapes: dict[int, Any] = {0: tuple(input_shape)}
        for number, (layer, sources) in enumerate(self._nodes, 1):
            shapes[number] = layer.compute_output_shape(_taken(layer, sources, shapes))
        return shapes

    def _create_weights(self, input_shape: Shape) -> None:
        shapes: dict[int, Any] = {0: tuple(input_shape)}
        for number, (layer, sources) in enumerate(self._nodes, 1):
            layer.build(_taken(layer, sources, shapes))
            shapes[number] = layer.output_shape

    def forward(self, x: Array, training: bool) -> Array:
        """Return the last layer's result."""
        values: dict[int, Any] = {0: x}
        for segment in self._segments:
            values[segment.result] = segment.path.forward(segment.input_of(values), training)
        result: Array = values[len(self._nodes)]
        return result

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill the layers' ``grads``; return the gradient of x where it is needed."""
        needed = {0: need_dx}
        for segment in self._segments:
            learns = any(layer.learns for layer in segment.path.layers)
            needed[segment.result] = learns or any(needed[source] for source in segment.sources)
        grads: dict[int, Array] = {len(self._nodes): dy}
        for segment in reversed(self._segments):
            if not needed[segment.result]:
                continue
            asked = any(needed[source] for source in segment.sources)
            dx: Any = segment.path.backward(grads.pop(segment.result), asked)
            if not asked:
                continue
            parts = dx if isinstance(dx, list) else [dx]
            for source, part in zip(segment.sources, parts, strict=True):
                if not needed[source]:
                    continue
                before = grads.get(source)
                grads[source] = (
                    part
                    if before is None
                    else backend.active.add_forward(before, part, "linear", before)
                )
        return grads[0] if need_dx else None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        from pyconv import layers

        nodes = [[layers.serialize(layer), list(sources)] for layer, sources in self._nodes]
        return {**super().get_config(), "nodes": nodes}


def blocks(nodes: Sequence[Node], repeats_names: bool = False) -> list[Layer]:
    """Return a graph as a stack: its layers, with a ``Graph`` wherever there are branches.

    Args:
        nodes: the graph, as ``Graph`` takes it.
        repeats_names: whether layers may have the name of another.
    """
    stack: list[Layer] = []
    for begin, end in cuts([sources for _, sources in nodes]):
        block = [
            (layer, tuple(source - begin for source in sources))
            for layer, sources in nodes[begin:end]
        ]
        alone = len(block) == 1 and not isinstance(block[0][0], Merge)
        stack.append(block[0][0] if alone else Graph(block, repeats_names=repeats_names))
    return stack


def cuts(sources: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Give (first, end) of the parts of a graph that follow each other, as short as can be.

    Each part takes the result of the last node of the one before, and no other.

    Args:
        sources: what each node takes, by number, as in ``Graph``.
    """
    last_use = [0] * (len(sources) + 1)
    for number, taken in enumerate(sources, 1):
        for source in taken:
            last_use[source] = number
    begin = open_until = 0
    for number in range(1, len(sources) + 1):
        open_until = max(open_until, last_use[number - 1])
        if open_until <= number:
            yield begin, number
            begin = number


def unfolded(stack: Sequence[Layer]) -> list[Node]:
    """Return a stack as one graph, that of each ``Graph`` in its place: what ``blocks`` undoes."""
    nodes: list[Node] = []
    last = 0
    for layer in stack:
        last = _unfold(layer, (last,), nodes)
    return nodes


def _unfold(layer: Layer, sources: tuple[int, ...], nodes: list[Node]) -> int:
    """Add the nodes of a layer; return the number of its result."""
    if not isinstance(layer, Graph):
        nodes.append((layer, sources))
        return len(nodes)
    numbers = [sources[0]]
    for inner, taken in layer.nodes:
        numbers.append(_unfold(inner, tuple(numbers[source] for source in taken), nodes))
    return numbers[-1]


def flat(stack: Sequence[Layer]) -> list[Layer]:
    """Return the layers of a stack, with those of a ``Graph`` in its place.

    A layer that is used several times is there once.
    """
    return [layer for layer, _ in unfolded(stack) if layer.use_of is None]


def _taken(layer: Layer, sources: tuple[int, ...], shapes: dict[int, Any]) -> Any:
    taken = [shapes[source] for source in sources]
    return taken if isinstance(layer, Merge) else taken[0]
