"""Small ONNX models, and what onnxruntime says of them."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import pyconv


def made(nodes, arrays=None, shape=("N", 3, 9, 8), opset=17, outputs=("y",), **more):
    """A model from "x" to "y"; ``nodes`` are (operator, inputs, outputs, attributes)."""
    graph = helper.make_graph(
        [
            helper.make_node(op, inputs.split(), outputs.split(), **(rest[0] if rest else {}))
            for op, inputs, outputs, *rest in nodes
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(a), name) for name, a in (arrays or {}).items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **more
    )


def read(folder, model, **options):
    path = folder / "net.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return pyconv.onnx.load(path, **options)


def answer(model, x):
    """What onnxruntime makes of a batch."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    data = model.SerializeToString()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session.run(None, {end_of(model).name: x})[0]


def end_of(model):
    """The input; older files have arrays among their inputs too."""
    arrays = {a.name for a in model.graph.initializer}
    return next(end for end in model.graph.input if end.name not in arrays)


def last(x):
    """Images with their channels last; other arrays as they are."""
    return np.moveaxis(x, 1, -1) if x.ndim == 4 else x


def check(folder, model, shape=None, n=3, seed=0, tolerance=1e-5, **options):
    """Compare with onnxruntime; return the model."""
    network = read(folder, model, **options)
    dims = end_of(model).type.tensor_type.shape.dim
    shape = shape or [d.dim_value for d in dims][1:]
    n = dims[0].dim_value or n
    x = np.random.default_rng(seed).standard_normal((n, *shape), np.float32)
    wanted = last(answer(model, x))
    got = network.predict(last(x), verbose=0)
    assert got.shape == wanted.shape
    largest = max(1.0, float(np.abs(wanted).max()))
    assert got == pytest.approx(wanted, rel=tolerance, abs=tolerance * largest)
    return network


def with_random_weights(model, seed=0):
    """One of the networks that come with onnx, whose weights are all equal, with others."""
    rng, rest, found = np.random.default_rng(seed), [], {}
    shapes = {a.name: numpy_helper.to_array(a) for a in model.graph.initializer}
    variances = {n.input[4] for n in model.graph.node if n.op_type == "BatchNormalization"}
    for node in model.graph.node:
        if node.op_type != "ConstantOfShape":
            rest.append(node)
            continue
        shape, name = shapes[node.input[0]], node.output[0]
        scale = np.sqrt(2 / max(1, np.prod(shape[1:]))) if len(shape) > 1 else 0.1
        values = scale * rng.standard_normal(shape, np.float32)
        found[name] = 1 + np.abs(values) if name in variances else values.astype(np.float32)
    del model.graph.node[:]
    model.graph.node.extend(rest)
    kept = {name for node in rest for name in node.input} - set(found)
    arrays = [a for a in model.graph.initializer if a.name in kept]
    inputs = [i for i in model.graph.input if i.name in kept]
    del model.graph.initializer[:], model.graph.input[:]
    model.graph.initializer.extend(arrays)
    model.graph.initializer.extend(numpy_helper.from_array(a, n) for n, a in found.items())
    model.graph.input.extend(inputs)
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model
