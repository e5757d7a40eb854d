"""Inputs side by side in one array (N, values), and outputs likewise, as layers of a network."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyconv._types import Array, Shape
from pyconv.compat._functional import network, workers
from pyconv.compat._tensor import Tensor
from pyconv.layers.concatenate import Concatenate
from pyconv.layers.flatten import Flatten
from pyconv.layers.graph import Node, blocks
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer


class InputPart(Layer):
    """One input of several, from where they lie side by side.

    Args:
        first: number of its first value.
        shape: its shape, of a sample.
        **kwargs: ``name`` of ``Layer``.
    """

    def __init__(self, first: int, shape: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._columns = slice(first, first + math.prod(shape))
        self._sample = shape

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input's shape."""
        return (input_shape[0], *self._sample)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the input."""
        y = self._buffer("y", (len(x), *self._sample))
        y[...] = np.asarray(x)[:, self._columns].reshape(y.shape)
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of all inputs, which that of this one is a part of."""
        if not need_dx:
            return None
        dx = np.zeros((len(dy), int(self.input_shape[1] or 0)), np.float32)
        dx[:, self._columns] = np.asarray(dy).reshape(len(dy), -1)
        return dx


class OutputPart(Flatten):
    """One output of several, as (N, values)."""


class OutputParts(Concatenate):
    """The outputs side by side."""


WITHIN = InputPart, OutputPart, OutputParts
for _kind in WITHIN:
    _kind.is_within = True


def stack(
    starts: Sequence[Tensor], ends: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]
) -> tuple[InputLayer, list[Layer]]:
    """Return the input of the network, and its layers."""
    ordered = network(starts, ends)
    nodes: list[Node] = []
    numbers: dict[Tensor, int] = {}
    if len(starts) == 1:
        first = starts[0].layer
        if not isinstance(first, InputLayer):
            first = InputLayer(batch_shape=starts[0].sizes)
        numbers[starts[0]] = 0
    else:
        sizes = [math.prod(shape) for shape in shapes]
        first = InputLayer((sum(sizes),))
        for i, (start, shape) in enumerate(zip(starts, shapes, strict=True)):
            if start in ordered:
                nodes.append((InputPart(sum(sizes[:i]), shape, name=start.name), (0,)))
                numbers[start] = len(nodes)
    others = [tensor for tensor in ordered if tensor not in numbers]
    for tensor, layer in zip(others, workers(others), strict=True):
        nodes.append((layer, tuple(numbers[source] for source in tensor.inputs)))
        numbers[tensor] = len(nodes)
    if len(ends) > 1:
        parts = []
        for end in ends:
            nodes.append((OutputPart(), (numbers[end],)))
            parts.append(len(nodes))
        nodes.append((OutputParts(), tuple(parts)))
    return first, blocks(nodes, repeats_names=True)


def side_by_side(owner: str, what: str, names: Sequence[str], parts: list[Any]) -> Any:
    """Return arrays (N, ...) of as many rows as one (N, values), float32."""
    rows = {name: len(part) for name, part in zip(names, parts, strict=True)}
    if len(set(rows.values())) > 1:
        raise ValueError(
            f"{owner}: {what} must have the same number of samples in each array, got {rows}"
        )
    return np.concatenate([np.asarray(part, np.float32) for part in parts], axis=1)
