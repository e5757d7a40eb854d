"""From an ONNX file to a Sequential."""

import os
from typing import Any

import numpy as np

from pyconv._args import path_arg
from pyconv._types import Shape
from pyconv.layers import Input
from pyconv.layers._arguments import shape_arg
from pyconv.layers.graph import Node, blocks
from pyconv.model import Sequential
from pyconv.onnx import _file
from pyconv.onnx._fold import FOLDED, fold
from pyconv.onnx._network import Network, Step, Value
from pyconv.onnx._ops import READ
from pyconv.onnx._shapes import shape as shape_of


def load(
    filepath: Any, input_shape: Any = None, output: str | None = None, name: str | None = None
) -> Sequential:
    """Read a network for images from an ONNX file, with its weights.

    What the file has as (N, C, H, W) is (N, H, W, C) here, the input and the result too: filters
    and the rows of dense layers are brought into that order. ReLU and biases become a part of the
    layer before; where layers branch there is a ``layers.Graph``. The model can be trained,
    saved and looked into like any other.

    Read are convolutions, pooling, dense layers, batch and local response normalization,
    activations, dropout, sums, products and concatenations of results, and what gives numbers
    other axes. What a file calculates from constants alone is calculated as it is read.

    Args:
        filepath: the file. Arrays that it keeps in other files must lie in its folder.
        input_shape: (height, width, channels) of an image, or the shape of another sample, where
            the file leaves sizes open that layers must know.
        output: the name of the result that is wanted, in the file; by default its only output.
        name: of the model; by default that of the graph.

    Raises:
        ImportError: the package onnx is not there: ``pip install 'pyconv[onnx]'``.
        OSError: the file cannot be read.
        ValueError: it is cut off or damaged, has operators that are not read (they are named), or
            sizes that do not fit.

    Source: https://onnx.ai/onnx/operators.

    Example:
        >>> import numpy as np, os, tempfile
        >>> import pyconv
        >>> from onnx import TensorProto, helper, numpy_helper, save
        >>> weights = numpy_helper.from_array(np.ones((4, 3, 3, 3), "float32"), "w")
        >>> ends = [
        ...     helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        ...     for name, shape in (("x", ["N", 3, 8, 8]), ("y", ["N", 4, 6, 6]))
        ... ]
        >>> node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv")
        >>> graph = helper.make_graph([node], "net", ends[:1], ends[1:], [weights])
        >>> path = os.path.join(tempfile.mkdtemp(), "net.onnx")
        >>> save(helper.make_model(graph), path)
        >>> model = pyconv.onnx.load(path)
        >>> model.layers
        [<Conv2D name=conv, built=True>]
        >>> model.predict(np.ones((2, 8, 8, 3)), verbose=0).shape
        (2, 6, 6, 4)
    """
    path = path_arg("onnx.load", "filepath", filepath)
    _file.module()
    try:
        model = _file.read(path)
        constants = _file.constants(model, os.path.dirname(path))
        with np.errstate(all="ignore"):  # weights may be infinite, or NaN
            nodes, shape = _translated(model, constants, input_shape, output)
        return Sequential([Input(shape), *blocks(nodes)], name=name or _name(model.graph.name))
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f"onnx.load: {path}: {error or type(error).__name__}") from error


def _name(given: str) -> str | None:
    return given.replace("/", "_").strip() or None


def _translated(
    model: Any, constants: dict[str, _file.Constant], input_shape: Any, output: str | None
) -> tuple[list[Node], Shape]:
    """Return the layers, each with what it takes, and the shape of a sample."""
    graph = model.graph
    result = _output(graph, output)
    needed = _needed(graph, result)
    unknown = sorted({_called(node) for node in needed if not _known(node)})
    if unknown:
        raise ValueError(f"it has operators that are not read: {', '.join(unknown)}")
    taken = {name for node in needed for name in node.input}
    given = next((e for e in graph.input if e.name not in constants and e.name in taken), None)
    others = [
        e.name
        for e in graph.input
        if e.name not in constants and e.name in taken and e is not given
    ]
    if given is None or others:
        if given is None:
            raise ValueError(f"its result {result!r:.80} depends on no input of the file")
        names = ", ".join([given.name, *others])
        raise ValueError(f"only models of one input are read, it has: {names}")
    declared = _declared(given)
    network = Network(needed, constants, declared[0] if declared else None)
    network.kept = {result}
    own = (o for o in model.opset_import if o.domain in ("", "ai.onnx"))
    network.opset = max((int(o.version) for o in own), default=0)
    if network.opset < 1:
        raise ValueError("it is cut off: it does not say which version its operators have")
    axes = len(declared) or (1 + len(shape_arg("onnx.load", "input_shape", input_shape or ())))
    image = _is_image(network, given.name, axes)
    shape = _sample(given.name, declared, input_shape, image)
    network.values[given.name] = Value(0, shape, image)
    for step in network.all_steps:
        try:
            _take(network, step)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            label = "" if str(error).startswith(step.label) else f"{step.label}: "
            raise ValueError(f"{label}{error}") from error
    if result not in network.values:
        raise ValueError(f"its result {result!r:.80} does not depend on its input")
    return _reached(network.nodes, network.values[result].source), shape


def _output(graph: Any, output: str | None) -> str:
    names = [str(end.name) for end in graph.output]
    if output is None:
        if len(names) != 1:
            raise ValueError(f"it has {len(names)} outputs, {', '.join(names)}; give output")
        return names[0]
    given = {name for node in graph.node for name in node.output}
    if output not in given:
        raise ValueError(f"output must be a result of the file, such as {names}, got {output!r}")
    return output


def _needed(graph: Any, result: str) -> list[Any]:
    """Return the nodes on which a result depends, in order."""
    wanted, found = {result}, []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            found.append(node)
    return found[::-1]


def _called(node: Any) -> str:
    return f"{node.domain}.{node.op_type}" if node.domain else str(node.op_type)


def _known(node: Any) -> bool:
    own = node.op_type in READ or node.op_type in FOLDED or node.op_type in ("Constant", "Shape")
    return node.domain in ("", "ai.onnx") and own


def _declared(given: Any) -> list[int | None]:
    """Return the sizes of an input as the file declares them, None where any will do."""
    dims = given.type.tensor_type.shape.dim
    return [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dims]


def _is_image(network: Network, name: str, axes: int) -> bool:
    """Whether the file has channels first, and does not turn the input's axes by itself."""
    steps = network.steps.get(name, [])
    turns = [s.op == "Transpose" and s.attributes.get("perm") == [0, 3, 1, 2] for s in steps]
    return axes == 4 and not all(turns)


def _sample(name: str, declared: list[int | None], input_shape: Any, image: bool) -> Shape:
    """Return the shape of a sample: what the file declares, and where it is open what is given."""
    own: Shape = tuple(declared[1:])
    if image:
        own = (*own[1:], own[0]) if declared else (None,) * 3
    if input_shape is None:
        if not own or own[-1] is None:
            raise ValueError(f"its input {name!r:.80} leaves sizes open, {own}; give input_shape")
        return own
    given = shape_arg("onnx.load", "input_shape", input_shape)
    if not declared:
        return given
    fits = len(given) == len(own) and all(
        a is None or a == b for a, b in zip(own, given, strict=True)
    )
    if not fits:
        raise ValueError(f"input_shape must fit the file's {own}, got {given}")
    return given


def _take(network: Network, step: Step) -> None:
    """Learn what a node gives: a constant or a result of the network."""
    if step.done:
        return
    if step.result in network.values or step.result in network.constants:
        raise ValueError(f"{step.result!r:.80} is given twice")
    names = [name for name in step.inputs if name]
    missing = [n for n in names if n not in network.constants and n not in network.values]
    if missing:
        raise ValueError(f"it takes {missing[0]!r:.80}, which nothing before it gives")
    if step.op == "Constant":
        network.constants[step.result] = _constant(step)
    elif all(name in network.constants for name in names):
        inputs = [network.constants[name] for name in names]
        if step.op == "Shape":
            network.constants[step.result] = np.array(inputs[0].shape, np.int64)
        elif step.op in FOLDED:
            network.constants[step.result] = fold(step.op, inputs, step.attributes)
        else:
            raise ValueError("it is not read where all of its inputs are constants")
    elif step.op == "Shape":
        network.constants[step.result] = shape_of(step)
    elif step.op in READ:
        value = READ[step.op](step)
        network.values[step.result] = value
    else:
        raise ValueError("it is read where all of its inputs are constants only")


def _constant(step: Step) -> _file.Constant:
    for kind, value in step.attributes.items():
        if kind in ("value", "value_float", "value_floats", "value_int", "value_ints"):
            dtype = np.float32 if "float" in kind else np.int64
            return value if kind == "value" else np.asarray(value, dtype)
    raise ValueError("it has no value that is a number")


def _reached(nodes: list[Node], last: int) -> list[Node]:
    """Return the nodes on which the last one depends, numbered anew."""
    if last == 0:
        raise ValueError("its result is its input: there is no layer between them")
    wanted = {last}
    for number in range(last, 0, -1):
        if number in wanted:
            wanted.update(nodes[number - 1][1])
    kept = [number for number in range(1, last + 1) if number in wanted]
    places = {0: 0, **{number: i for i, number in enumerate(kept, 1)}}
    return [
        (nodes[number - 1][0], tuple(places[source] for source in nodes[number - 1][1]))
        for number in kept
    ]
