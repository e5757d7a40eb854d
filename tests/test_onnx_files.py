"""ONNX files that are cut off, altered or not read: errors that say what is wrong."""

import contextlib
import os
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import check, made, read

import pyconv

W = np.random.default_rng(0).standard_normal((4, 3, 3, 3), np.float32)
DENSE = np.ones((4, 2), np.float32)


def network():
    return made(
        [
            ("Conv", "x w", "a", {"pads": [1, 1, 1, 1]}),
            ("Relu", "a", "b"),
            ("GlobalAveragePool", "b", "c"),
            ("Flatten", "c", "d"),
            ("Gemm", "d v", "e"),
            ("Softmax", "e", "y"),
        ],
        {"w": W, "v": DENSE},
    )


def test_every_length(tmp_path):
    """A file that ends too early is an error, wherever it ends."""
    data = network().SerializeToString()
    for length in range(len(data)):
        with pytest.raises(ValueError, match=r"onnx\.load: .*net\.onnx: "):
            read(tmp_path, data[:length])
    read(tmp_path, data)


def test_altered_bytes(tmp_path):
    """An altered file is a network all the same, or a ValueError."""
    data, rng = network().SerializeToString(), np.random.default_rng(0)
    errors = 0
    for _ in range(600):
        changed = bytearray(data)
        for _ in range(int(rng.integers(1, 4))):
            changed[int(rng.integers(len(data)))] = int(rng.integers(256))
        with contextlib.suppress(ValueError):
            read(tmp_path, bytes(changed))
            continue
        errors += 1
    assert errors > 100


def no_conv_weights(model):
    del model.graph.initializer[0]


def turned(model):
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(W[..., 0], "w"))


def other_channels(model):
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(W[:, :2], "w"))


def negative(model):
    model.graph.initializer[0].dims[0] = -4


def more_than_there_is(model):
    model.graph.initializer[0].dims[0] = 4000


def text(model):
    model.graph.initializer[0].data_type = TensorProto.STRING


def unknown_type(model):
    model.graph.initializer[0].data_type = 99


def calculated(shape):
    def change(model):
        array = numpy_helper.from_array(np.array(shape), "shape")
        model.graph.initializer[0].CopyFrom(array)
        model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["shape"], ["w"]))

    change.__name__ = f"calculated {shape}"
    return change


def attribute(i, name, value):
    def change(model):
        node = model.graph.node[i]
        kept = [a for a in node.attribute if a.name != name]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute(name, value)])

    change.__name__ = f"{name} {value}"
    return change


def op(i, name, domain=""):
    def change(model):
        model.graph.node[i].op_type, model.graph.node[i].domain = name, domain

    change.__name__ = f"{domain}{name}"
    return change


def inputs(i, *names):
    def change(model):
        model.graph.node[i].input[:] = names

    change.__name__ = f"inputs {names}"
    return change


def rectified(model):
    model.graph.node.insert(0, helper.make_node("Relu", ["w"], ["r"]))
    model.graph.node[1].input[1] = "r"


def twice(model):
    model.graph.node.insert(0, helper.make_node("Relu", ["x"], ["a"]))


def no_opset(model):
    del model.opset_import[:]


def graph_inside(model):
    graph = helper.make_graph([], "inner", [], [])
    model.graph.node[1].attribute.append(helper.make_attribute("body", graph))


def two_outputs(model):
    model.graph.output.append(helper.make_tensor_value_info("e", TensorProto.FLOAT, None))


def no_shape(model):
    end = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
    model.graph.input[0].CopyFrom(end)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (no_conv_weights, "Conv 'a': it takes 'w', which nothing before it gives"),
        (turned, r"Conv 'a': the filters must be \(K, C, KH, KW\), got \(4, 3, 3\)"),
        (other_channels, r"Conv2D 'a': .*kernel"),
        (negative, "the array 'w' has a negative size"),
        (more_than_there_is, r"the array 'w' must have 432000 bytes for float32 .*, got 432"),
        (text, "the array 'w' must hold numbers"),
        (unknown_type, "the array 'w' has the unknown type 99"),
        (calculated([10**9, 3, 3, 3]), "more than half of this machine's memory"),
        (calculated([2**40, 2**40, 3, 3]), "ConstantOfShape 'w': "),
        (calculated([-4, 3, 3, 3]), "ConstantOfShape 'w': "),
        (attribute(0, "strides", [0, 1]), "Conv2D 'a': strides"),
        (attribute(0, "strides", [1]), r"Conv 'a': strides must be two integers"),
        (attribute(0, "strides", 2), r"Conv 'a': strides must be two integers"),
        (attribute(0, "pads", [1, 1]), "Conv 'a': pads must be four integers"),
        (attribute(0, "pads", [-1] * 4), "Conv2D 'a': padding"),
        (attribute(0, "group", 2), "Conv2D 'a'"),
        (attribute(0, "group", 0), "Conv2D 'a': groups"),
        (attribute(0, "group", "a"), "Conv 'a': group must be like 1"),
        (attribute(0, "auto_pad", "ODD"), "Conv 'a': auto_pad 'ODD' is not known"),
        (attribute(0, "dilations", [20, 20]), "does not fit into an input"),
        (attribute(3, "axis", 2), "Flatten 'd': axis must be 1"),
        (attribute(4, "transA", 1), "Gemm 'e': transA must be 0"),
        (attribute(4, "alpha", [1.0]), "Gemm 'e': alpha must be like 1.0"),
        (op(1, "Sin"), "it has operators that are not read: Sin$"),
        (op(1, "Gelu", "com.example"), "not read: com.example.Gelu$"),
        (op(1, "Gather"), "Gather 'b': it is read where all of its inputs are constants only"),
        (inputs(4, "d", "x"), "Gemm 'e': B must be a constant of the file"),
        (inputs(4, "v", "d"), "Gemm 'e': B must be a constant"),
        (inputs(4, "d"), "Gemm 'e': B must be a constant"),
        (inputs(5), "its result 'y' depends on no input of the file"),
        (inputs(1, "y"), "its result 'y' depends on no input of the file"),
        (inputs(4, "d", "z"), "Gemm 'e': it takes 'z', which nothing before it gives"),
        (rectified, "Relu 'r': it is not read where all of its inputs are constants"),
        (twice, "'a' is given twice"),
        (no_opset, "it does not say which version its operators have"),
        (graph_inside, "Relu 'b': nodes that hold graphs are not read"),
        (two_outputs, "it has 2 outputs, y, e; give output"),
        (no_shape, "leaves sizes open.*give input_shape"),
    ],
    ids=lambda v: v if isinstance(v, str) else v.__name__,
)
def test_what_is_wrong(change, text, tmp_path):
    model = network()
    change(model)
    with pytest.raises(ValueError, match=rf"onnx\.load: .*net\.onnx: .*{text}"):
        read(tmp_path, model)


def test_other_files(tmp_path):
    for data in (b"", b"no model", b"\x89HDF\r\n\x1a\n" + bytes(100), b"PK\x03\x04" + bytes(50)):
        with pytest.raises(ValueError, match="no ONNX"):
            read(tmp_path, data)
    with pytest.raises(FileNotFoundError):
        pyconv.onnx.load(tmp_path / "nowhere.onnx")


def test_inputs_and_outputs(tmp_path):
    model = network()
    assert read(tmp_path, model, output="e").output_shape == (None, 2)
    assert read(tmp_path, model, output="b").output_shape == (None, 9, 8, 4)
    with pytest.raises(ValueError, match="output must be a result of the file"):
        read(tmp_path, model, output="w")
    with pytest.raises(ValueError, match=r"input_shape must fit the file's \(9, 8, 3\)"):
        read(tmp_path, model, input_shape=(9, 9, 3))
    two = made([("Add", "x x2", "y")])
    two.graph.input.append(helper.make_tensor_value_info("x2", TensorProto.FLOAT, ["N", 3, 9, 8]))
    with pytest.raises(ValueError, match="only models of one input are read, it has: x, x2"):
        read(tmp_path, two)


def test_sizes_that_are_open(tmp_path):
    model = network()
    model.graph.input[0].CopyFrom(
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, "H", "W"])
    )
    network_ = check(tmp_path, model, shape=(3, 7, 5))
    assert network_.input_shape == (None, None, None, 3)
    assert read(tmp_path, model, input_shape=(7, 5, 3)).input_shape == (None, 7, 5, 3)
    flat = made([("Flatten", "x", "f"), ("MatMul", "f w", "y")], {"w": np.ones((18, 2), "f4")})
    flat.graph.input[0].CopyFrom(
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, "H", "W"])
    )
    with pytest.raises(ValueError, match=r"Flatten 'f': it must know the size .*give input_shape"):
        read(tmp_path, flat)
    check(tmp_path, flat, shape=(2, 3, 3), input_shape=(3, 3, 2))


def test_arrays_in_files_of_their_own(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(network(), path, save_as_external_data=True, location="net.data", size_threshold=16)
    kept = onnx.load(path, load_external_data=False)
    assert kept.graph.initializer[0].data_location == TensorProto.EXTERNAL
    model = pyconv.onnx.load(path)
    assert np.array_equal(model.layers[0].kernel, W.transpose(2, 3, 1, 0))

    def told(**entries):
        changed = onnx.ModelProto()
        changed.CopyFrom(kept)
        for entry in changed.graph.initializer[0].external_data:
            entry.value = entries.get(entry.key, entry.value)
        return changed

    secret = tmp_path.parent / "secret.data"
    secret.write_bytes(bytes(10_000))
    os.symlink(secret, tmp_path / "link.data")
    for entries, text in (
        ({"location": "../secret.data"}, "must be in a file beside the model"),
        ({"location": str(secret)}, "must be in a file beside the model"),
        ({"location": "link.data"}, "must be in a file beside the model"),
        ({"location": "."}, "must be in a file beside the model"),
        ({"offset": "100000"}, "lies beyond the end of 'net.data'"),
        ({"offset": "-8"}, "must have 432 bytes, got 432 from -8"),
        ({"length": "1"}, "must have 432 bytes, got 1"),
        ({"length": "x"}, "a place in 'net.data' that is no number"),
    ):
        with pytest.raises(ValueError, match=text):
            read(tmp_path, told(**entries))
    with pytest.raises(FileNotFoundError):
        read(tmp_path, told(location="nowhere.data"))


def test_without_onnx(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'pyconv\[onnx\]'"):
        pyconv.onnx.load(tmp_path / "net.onnx")
