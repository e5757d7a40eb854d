"""Cases as ONNX models, written node by node; images are (N, C, H, W) there."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from pyconv._types import Array
from pyconv.bench.cases import Case, Conv, Predict
from pyconv.bench.inputs import normal
from pyconv.bench.networks import initial_weights, is_chain, layer_shapes
from pyconv.bench.peers import UnsupportedError

OPSET = 17


def inputs(case: Case) -> Array:
    """Return what the model is run on."""
    if not isinstance(case, (Conv, Predict)):
        raise UnsupportedError(case.name)
    x = normal("x", case.x_shape)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def outputs(case: Case, y: Array) -> list[Array]:
    """Return the model's output in pyconv's layout."""
    return [y.transpose(0, 2, 3, 1) if isinstance(case, Conv) else y]


def model(case: Case) -> bytes:
    """Return the model of a convolution, or of a network with its initial weights.

    Raises:
        UnsupportedError: it is none of the two, or a gradient.
    """
    graph = _Graph()
    if isinstance(case, Conv) and case.direction == "forward":
        top, bottom, left, right = case.pads
        graph.add(
            "Conv",
            {"w": normal("w", case.w_shape).transpose(3, 2, 0, 1)},
            pads=[top, left, bottom, right],
            strides=[case.stride] * 2,
            dilations=[case.dilation] * 2,
            group=case.groups,
        )
        n, oh, ow, oc = case.y_shape
        return graph.serialized(inputs(case).shape, (n, oc, oh, ow))
    if isinstance(case, Predict) and is_chain(case.network):
        _add_network(graph, case.network)
        return graph.serialized(inputs(case).shape, (case.batch, 10))
    raise UnsupportedError(case.name)


def _add_network(graph: "_Graph", network: str) -> None:
    weights = iter(initial_weights(network))
    flattened: tuple[int, ...] = ()
    for step, shape, kernel in layer_shapes(network):
        if step.kind == "conv":
            w, total = next(weights).transpose(3, 2, 0, 1), step.kernel - 1
            pads = [total // 2] * 2 + [total - total // 2] * 2
            graph.add("Conv", {"w": w, "b": next(weights)}, pads=pads)
        elif step.kind == "pool":
            graph.add("MaxPool", {}, kernel_shape=[2, 2], strides=[2, 2])
        elif step.kind == "flatten":
            graph.add("Flatten", {}, axis=1)
            flattened = shape
        elif step.kind == "dense":
            w = next(weights)
            if flattened:
                # Rows in the order C, H, W, as the images lie here.
                w = w.reshape(*flattened, -1).transpose(2, 0, 1, 3).reshape(kernel)
                flattened = ()
            graph.add("Gemm", {"w": w, "b": next(weights)})
        if kernel:
            name = "Relu" if step.activation == "relu" else "Softmax"
            graph.add(name, {}, **({} if name == "Relu" else {"axis": -1}))


class _Graph:
    """A chain of nodes."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, kind: str, constants: dict[str, Array], **attributes: Any) -> None:
        """Append a node that takes the last one's output."""
        i = len(self._nodes)
        names = [f"{name}{i}" for name in constants]
        for name, value in zip(names, constants.values(), strict=True):
            self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        ends = [f"x{i}", *names], [f"x{i + 1}"]
        self._nodes.append(helper.make_node(kind, *ends, **attributes))

    def serialized(self, x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> bytes:
        """Return the model from input shape to output shape."""
        x, y = (
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (("x0", x_shape), (f"x{len(self._nodes)}", y_shape))
        )
        graph = helper.make_graph(self._nodes, "case", [x], [y], self._constants)
        opset = [helper.make_opsetid("", OPSET)]
        made: bytes = helper.make_model(
            graph, opset_imports=opset, ir_version=8
        ).SerializeToString()
        return made
