"""The network that is made of an ONNX graph, node by node."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Shape
from pyconv.layers import Flatten, Layer, Permute, Reshape
from pyconv.layers._memory import check_fits
from pyconv.layers._merge import Merge
from pyconv.layers.graph import Node
from pyconv.onnx._file import Constant, array


@dataclass(frozen=True)
class Value:
    """A result in the network.

    ``image`` says that what the file has as (C, H, W) is (H, W, C) here. ``order`` has, for each
    number of a flattened image, its place in the file's.
    """

    source: int  # 0 is the input, i the result of the i-th node
    shape: Shape  # of a sample, as it is here
    image: bool = False
    order: NDArray[np.intp] | None = None

    @property
    def file_shape(self) -> Shape:
        """The shape of a sample as the file has it."""
        return (self.shape[2], *self.shape[:2]) if self.image else self.shape


class Step:
    """A node of the file.

    ``result`` is the name of what it gives; where it takes the next nodes in, of what they give.
    """

    def __init__(self, network: "Network", node: Any) -> None:
        self.network = network
        self.op: str = node.op_type
        self.inputs: list[str] = list(node.input)
        self.outputs: list[str] = list(node.output)
        self.result = self.outputs[0] if self.outputs else ""
        self.given_name: str = node.name or self.result
        self.label = f"{self.op} {self.given_name!r:.80}"
        self.done = False  # it is a part of a node before it
        self.attributes: Mapping[str, Any] = {
            found.name: _attribute(self.label, found) for found in node.attribute
        }
        self.layer_name = network.name_of(self)

    def attribute(self, name: str, default: Any) -> Any:
        """Return an attribute, which must be of the kind of its default."""
        found = self.attributes.get(name, default)
        kinds = (int, float) if isinstance(default, float) else type(default)
        if default is not None and not isinstance(found, kinds):
            raise ValueError(f"{name} must be like {default!r}, got {found!r:.40}")
        return found

    def given(self, i: int) -> bool:
        """Whether there is an i-th input."""
        return i < len(self.inputs) and self.inputs[i] != ""

    def is_constant(self, i: int) -> bool:
        """Whether the i-th input is known when the file is read."""
        return self.given(i) and self.inputs[i] in self.network.constants

    def constant(self, i: int, what: str) -> Constant:
        """Return the i-th input, which must be known when the file is read."""
        if not self.is_constant(i):
            raise ValueError(f"{what} must be a constant of the file")
        return self.network.constants[self.inputs[i]]

    def number(self, i: int, what: str, default: float) -> float:
        """Return the i-th input, one number; the default where there is none."""
        if not self.given(i):
            return default
        found = self.constant(i, what)
        if found.size != 1:
            raise ValueError(f"{what} must be one number, got {found.shape}")
        return float(found.reshape(()))

    def value(self, i: int = 0) -> Value:
        """Return the i-th input, a result of the network."""
        if not self.given(i):
            raise ValueError(f"it has no input {i}")
        if self.inputs[i] in self.network.constants:
            raise ValueError(f"its input {i} must not be a constant")
        return self.network.values[self.inputs[i]]

    def add(self, layer: Layer, *values: Value, **result: Any) -> Value:
        """Add a layer; see ``Network.add``."""
        return self.network.add(layer, values, **result)


class Network:
    """Layers, what they take, and what is known by name so far."""

    def __init__(
        self, nodes: Sequence[Any], constants: dict[str, Constant], batch: int | None
    ) -> None:
        self.constants = constants
        self.batch = batch  # as the file declares it; None for any
        self.nodes: list[Node] = []
        self.values: dict[str, Value] = {}
        self.steps: dict[str, list[Step]] = {}  # those that take a result, by its name
        self.kept: set[str] = set()  # what must be there by its own name
        self.opset = 0
        self._shapes: list[Shape] = []
        self._weights = 0
        self._names: Counter[str] = Counter()
        self.all_steps = [Step(self, node) for node in nodes]
        for step in self.all_steps:
            for name in step.inputs:
                self.steps.setdefault(name, []).append(step)

    def name_of(self, step: Step) -> str:
        """Return a name of a layer's for a node, no other's."""
        name = re.sub(r"[^\w.]+", "_", step.given_name).strip("_") or step.op.lower()
        self._names[name] += 1
        while self._names[name] > 1:
            name = f"{name}_{self._names[name] - 1}"
            self._names[name] += 1
        return name

    def add(
        self,
        layer: Layer,
        values: Sequence[Value],
        weights: Mapping[str, Any] | None = None,
        image: bool | None = None,
        order: NDArray[np.intp] | None = None,
    ) -> Value:
        """Add a layer that takes some values, and return what it gives.

        Args:
            layer: a new layer.
            values: what it takes.
            weights: its weights by name.
            image: whether it gives an image with its channels last; by default as its input.
            order: see ``Value``.
        """
        shapes: Any = [(None, *value.shape) for value in values]
        shape = layer.compute_output_shape(shapes if isinstance(layer, Merge) else shapes[0])
        if weights is not None:
            layer.give_weights(self._own(layer, weights))
        self.nodes.append((layer, tuple(value.source for value in values)))
        is_image = values[0].image if image is None else image
        return Value(len(self.nodes), tuple(shape[1:]), is_image, order)

    def _own(self, layer: Layer, weights: Mapping[str, Any]) -> dict[str, Any]:
        """Return weights as arrays of the layer's own; they may take no memory yet."""
        self._weights += sum(weight.size for weight in weights.values())
        check_fits("all weights", f"those up to {layer.name!r}", (self._weights,))
        return {
            name: np.array(weight, np.float32, order="C", copy=True)
            for name, weight in weights.items()
        }

    # --- the order of axes ------------------------------------------------------------------

    def image(self, value: Value) -> Value:
        """Return an image (H, W, C) of a value that the file has as (C, H, W)."""
        if value.image:
            return value
        if len(value.shape) != 3:
            raise ValueError(f"it needs images (N, C, H, W), got (N, {_sizes(value.shape)})")
        channels, *size = value.shape
        if size == [1, 1]:
            return self.add(Reshape((1, 1, channels)), [value], image=True)
        return self.add(Permute((2, 3, 1)), [value], image=True)

    def plain(self, value: Value) -> Value:
        """Return a value with its axes as the file has them."""
        if value.order is not None:
            raise ValueError("it cannot take the numbers of a flattened image")
        if not value.image:
            return value
        h, w, channels = value.shape
        if (h, w) == (1, 1) or channels == 1:
            return self.add(Reshape(_known((channels, h, w))), [value], image=False)
        return self.add(Permute((3, 1, 2)), [value], image=False)

    def aligned(self, values: Iterable[Value]) -> list[Value]:
        """Return values whose axes are in one order."""
        found = list(values)
        if any(value.image for value in found) and all(len(v.shape) == 3 for v in found):
            return [self.image(value) for value in found]
        return [self.plain(value) for value in found]

    def flattened(self, value: Value, result: str) -> Value:
        """Return the numbers of each sample in a row."""
        if len(value.shape) == 1:
            return value
        if value.image:
            h, w, channels = _known(value.shape)
            order = np.arange(h * w * channels).reshape(channels, h, w).transpose(1, 2, 0).ravel()
            if np.array_equal(order, np.arange(order.size)):
                return self.add(Flatten(), [value], image=False)
            if self._only_products(result):
                return self.add(Flatten(), [value], image=False, order=order)
        return self.add(Flatten(), [self.plain(value)])

    def _only_products(self, name: str) -> bool:
        """Whether a result gets into dense layers alone, whose weights can take its order."""
        steps = self.steps.get(name, [])
        return (
            bool(steps)
            and name not in self.kept
            and all(
                (step.op in ("Gemm", "MatMul") and step.inputs[0] == name and step.is_constant(1))
                or (step.op in EACH_NUMBER and self._only_products(step.result))
                for step in steps
            )
        )

    # --- nodes that are a part of the one before ----------------------------------------------

    def next_step(self, step: Step, op: str) -> Step | None:
        """Return the only node that takes what ``step`` gives, where it is of this kind."""
        steps = self.steps.get(step.result, [])
        if step.result in self.kept or len(steps) != 1 or steps[0].op != op:
            return None
        return steps[0]

    def take_bias(self, step: Step, channels: int, axes: int) -> Constant | None:
        """Return the constants that the next node adds to each channel; it is a part of ``step``.

        Args:
            step: a node whose layer has no bias yet.
            channels: of its result.
            axes: the result's after that of the channels.
        """
        after = self.next_step(step, "Add")
        if after is None or len(after.inputs) != 2:
            return None
        i = 1 if after.inputs[0] == step.result else 0
        if not after.is_constant(i) or after.attributes:
            return None
        found = after.constant(i, "the bias")
        at = found.ndim - axes - 1  # that of the channels
        if found.size != channels or at < 0 or found.shape[at:] != (channels, *(1,) * axes):
            return None
        step.result, after.done = after.result, True
        return found.reshape(-1)

    def take_relu(self, step: Step) -> str | None:
        """Return "relu" where that is the next node, which is then a part of ``step``."""
        after = self.next_step(step, "Relu")
        if after is None:
            return None
        step.result, after.done = after.result, True
        return "relu"


# Nodes that treat each number by itself, wherever it is.
EACH_NUMBER = (
    *("Cast", "Clip", "Dropout", "Elu", "Gelu", "HardSigmoid", "HardSwish", "Identity"),
    *("LeakyRelu", "Mish", "Relu", "Selu", "Sigmoid", "Softplus", "Softsign", "Tanh"),
)


def _attribute(label: str, found: Any) -> Any:
    """Return an attribute as plain data; a tensor as an array."""
    from pyconv.onnx._file import module

    onnx = module()
    if found.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
        raise ValueError(f"{label}: nodes that hold graphs are not read")
    value = onnx.helper.get_attribute_value(found)
    if isinstance(value, onnx.TensorProto):
        return array(value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return list(value) if found.type not in _SINGLE else value


_SINGLE = (1, 2, 3)  # AttributeProto's FLOAT, INT, STRING


def _known(shape: Shape) -> tuple[int, ...]:
    sizes = tuple(n for n in shape if n is not None)
    if len(sizes) < len(shape):
        raise ValueError(
            f"it must know the size of its input, got ({_sizes(shape)}); give input_shape"
        )
    return sizes


def _sizes(shape: Shape) -> str:
    return ", ".join("?" if n is None else str(n) for n in shape)


def total(shape: Shape) -> int:
    """Return how many numbers a sample of known sizes has."""
    return math.prod(_known(shape))
