"""Networks from ONNX files: the same predictions as onnxruntime's."""

import os

import numpy as np
import onnx
import pytest
from onnx_models import answer, check, made, read, with_random_weights

import pyconv
from pyconv.layers import Conv2D, Dense, Graph

LIGHT = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "light")


def normal(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


# --- one node -----------------------------------------------------------------------------------

ONE = {
    "Relu": [{}], "LeakyRelu": [{}, {"alpha": 0.2}], "Elu": [{}, {"alpha": 0.5}],
    "Selu": [{}], "Sigmoid": [{}], "Tanh": [{}], "Softplus": [{}], "Softsign": [{}],
    "HardSwish": [{}], "HardSigmoid": [{"alpha": 1 / 6}], "Mish": [{}], "Identity": [{}],
    "Dropout": [{}], "Softmax": [{"axis": 1}, {"axis": 3}, {}],
    "LogSoftmax": [{"axis": 1}, {"axis": -1}],
    "LRN": [{"size": 3}, {"size": 5, "alpha": 0.3, "beta": 0.6, "bias": 2.0}],
    "GlobalAveragePool": [{}], "GlobalMaxPool": [{}], "Flatten": [{}, {"axis": -3}],
    "ReduceMean": [{"axes": [2, 3]}, {"axes": [-1, -2], "keepdims": 0}],
    "Transpose": [{"perm": p} for p in ([0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2], [0, 1, 2, 3])],
    "Cast": [{"to": 1}],
    "MaxPool": [
        {"kernel_shape": [2, 2]}, {"kernel_shape": [3, 2], "strides": [2, 3]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 1, 2, 0]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
        {"kernel_shape": [3, 3], "strides": [3, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1},
        {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {"kernel_shape": [2, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"},
    ],
    "AveragePool": [
        {"kernel_shape": [2, 2], "auto_pad": "VALID"}, {"kernel_shape": [3, 3], "pads": [1] * 4},
        {"kernel_shape": [3, 3], "pads": [1, 0, 1, 2], "count_include_pad": 1},
        {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
        {"kernel_shape": [2, 2], "strides": [2, 2], "auto_pad": "SAME_LOWER"},
    ],
}  # fmt: skip


@pytest.mark.parametrize(("op", "attributes"), [(op, a) for op, all_ in ONE.items() for a in all_])
def test_one_node(op, attributes, tmp_path):
    opset = 22 if op == "Mish" else 17
    nodes = [("Tanh", "x", "t"), (op, "t", "y", attributes)]  # not alone: the input may be turned
    model = made(nodes, opset=opset)
    network = read(tmp_path, model)
    x = normal(2, 3, 9, 8)
    wanted = answer(model, x)
    got = network.predict(np.moveaxis(x, 1, -1), verbose=0)
    if got.shape != wanted.shape:  # an image here
        got = np.moveaxis(got, -1, 1)
    assert got.shape == wanted.shape
    assert got == pytest.approx(wanted, rel=1e-5, abs=1e-5)


# --- layers with weights ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"strides": [2, 1], "pads": [1, 0, 2, 1]},
        {"dilations": [2, 1], "pads": [2, 1, 2, 1]},
        {"group": 2, "auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"group": 4, "auto_pad": "SAME_LOWER", "strides": [2, 2]},
        {"auto_pad": "VALID"},
    ],
)
@pytest.mark.parametrize("kernel", [(3, 2), (1, 1), (2, 3)])
def test_convolutions(attributes, kernel, tmp_path):
    w = normal(8, 4 // attributes.get("group", 1), *kernel)
    arrays = {"w": w, "b": normal(8, seed=2), "c": normal(8, 1, 1, seed=3)}
    for nodes in (
        [("Conv", "x w", "y", attributes)],
        [("Conv", "x w b", "y", attributes)],
        [("Conv", "x w b", "a", attributes), ("Relu", "a", "y")],
        [("Conv", "x w", "a", attributes), ("Add", "c a", "b_"), ("Relu", "b_", "y")],
    ):
        used = {name: arrays[name] for node in nodes for name in node[1].split() if name in arrays}
        network = check(tmp_path, made(nodes, used, shape=("N", 4, 9, 8)))
        assert [type(layer) for layer in network.layers] == [Conv2D]


def test_dense_layers(tmp_path):
    w, b = normal(5, 3), normal(3, seed=2)
    for nodes, arrays in (
        ([("Gemm", "x w b", "y")], {"w": w, "b": b}),
        ([("Gemm", "x w", "y", {"alpha": 0.5})], {"w": w}),
        (
            [("Gemm", "x w b", "y", {"transB": 1, "alpha": 2.0, "beta": 0.25})],
            {"w": w.T.copy(), "b": b[None]},
        ),
        ([("Gemm", "x w b", "a"), ("Relu", "a", "y")], {"w": w, "b": np.float32(0.3)}),
        ([("MatMul", "x w", "y")], {"w": w}),
        ([("MatMul", "x w", "a"), ("Add", "a b", "y")], {"w": w, "b": b}),
        ([("MatMul", "x w", "a"), ("Add", "b a", "c"), ("Relu", "c", "y")], {"w": w, "b": b[None]}),
        ([("MatMul", "x w", "y")], {"w": w.astype(np.float32)}),
    ):
        network = check(tmp_path, made(nodes, arrays, shape=("N", 5)))
        assert [type(layer) for layer in network.layers] == [Dense]


def test_a_bias_that_is_another_axis_stays_apart(tmp_path):
    arrays = {"w": normal(3, 3, 1, 1), "c": normal(3)}
    nodes = [("Conv", "x w", "a"), ("Add", "a c", "y")]
    with pytest.raises(ValueError, match=r"Add 'y': the constant must be one number, or one for"):
        read(tmp_path, made(nodes, arrays, shape=("N", 3, 3, 3)))


NORM = {"scale": normal(3), "shift": normal(3, seed=2), "mean": normal(3, seed=3)}
NORM["variance"] = np.abs(normal(3, seed=4))


def test_batch_normalization(tmp_path):
    for attributes in ({}, {"epsilon": 0.1, "momentum": 0.5}):
        node = ("BatchNormalization", "x scale shift mean variance", "y", attributes)
        for shape in (("N", 3, 9, 8), ("N", 3)):
            network = check(tmp_path, made([node], NORM, shape=shape))
    assert network.layers[0].momentum == 0.5


@pytest.mark.parametrize("slopes", [(1,), (3, 1, 1), (1, 3, 1, 1)])
def test_prelu(slopes, tmp_path):
    check(tmp_path, made([("PRelu", "x s", "y")], {"s": normal(*slopes)}))


def test_prelu_of_rows(tmp_path):
    check(tmp_path, made([("PRelu", "x s", "y")], {"s": normal(5)}, shape=("N", 5)))


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("shape", [(), (1,), (3, 1, 1), (1, 3, 1, 1)])
@pytest.mark.parametrize("inputs", ["x c", "c x"])
def test_arithmetic_with_constants(op, shape, inputs, tmp_path):
    c = normal(*shape)
    nodes = [(op, inputs, "y")]
    if (op, inputs) == ("Div", "c x"):
        with pytest.raises(ValueError, match="constant divisor"):
            read(tmp_path, made(nodes, {"c": c}))
    else:
        check(tmp_path, made(nodes, {"c": c}))


def test_scales_take_offset_and_relu_in(tmp_path):
    arrays = {"c": normal(3, 1, 1), "d": normal(3, 1, 1, seed=2)}
    nodes = [("Mul", "x c", "a"), ("Add", "a d", "b"), ("Relu", "b", "y")]
    assert len(check(tmp_path, made(nodes, arrays)).layers) == 1


@pytest.mark.parametrize("bounds", [(0, 6), (0, None), (-1, 1), (None, None)])
def test_clip(bounds, tmp_path):
    given = {k: float(v) for k, v in zip(("min", "max"), bounds, strict=True) if v is not None}
    check(tmp_path, made([("Tanh", "x", "t"), ("Clip", "t", "y", given)], opset=9))
    model = made(
        [("Tanh", "x", "t"), ("Clip", "t", "y")], {k: np.float32(v) for k, v in given.items()}
    )
    model.graph.node[1].input.extend(name if name in given else "" for name in ("min", "max"))
    check(tmp_path, model)


# --- axes ---------------------------------------------------------------------------------------

AXES = {
    "flatten": [("Flatten", "x", "f"), ("Gemm", "f w", "y")],
    "and activations between": [
        ("Flatten", "x", "f"), ("Relu", "f", "g"), ("Dropout", "g", "h"),
        ("LeakyRelu", "h", "i"), ("MatMul", "i w", "y"),
    ],
    "two dense layers": [
        ("Flatten", "x", "f"), ("Gemm", "f w", "a"), ("Gemm", "f v", "b"), ("Add", "a b", "y"),
    ],
    "one that needs the order": [
        ("Flatten", "x", "f"), ("Gemm", "f w", "a"), ("Softmax", "f", "b"),
        ("Gemm", "b v", "c"), ("Add", "a c", "y"),
    ],
    "reshape": [("Reshape", "x flat", "f"), ("Gemm", "f w", "y")],
    "as PyTorch's view": [
        ("Shape", "x", "s"), ("Gather", "s zero", "n"), ("Unsqueeze", "n axis0", "m"),
        ("Concat", "m minus", "t", {"axis": 0}), ("Reshape", "x t", "f"), ("Gemm", "f w", "y"),
    ],
    "shuffled channels": [
        ("Reshape", "x five", "a"), ("Transpose", "a", "b", {"perm": [0, 2, 1, 3, 4]}),
        ("Reshape", "b four_", "c"), ("Conv", "c k", "y"),
    ],
    "a mean and squeeze": [
        ("GlobalAveragePool", "x", "a"), ("Squeeze", "a last2", "b"), ("Gemm", "b u", "y"),
    ],
    "squeeze and back": [
        ("GlobalAveragePool", "x", "a"), ("Squeeze", "a last2", "b"),
        ("Unsqueeze", "b last2", "c"), ("Mul", "x c", "y"),
    ],
    "through channels last": [
        ("Transpose", "x", "a", {"perm": [0, 2, 3, 1]}), ("Softmax", "a", "b", {"axis": 3}),
        ("Transpose", "b", "c", {"perm": [0, 3, 1, 2]}), ("Conv", "c k", "y"),
    ],
    "a product of the last axis": [("MatMul", "x l", "a"), ("Conv", "a k", "y")],
    "concatenated rows": [
        ("Flatten", "x", "f"), ("Sigmoid", "f", "g"), ("Concat", "f g", "h", {"axis": 1}),
        ("Gemm", "h ww", "y"),
    ],
}  # fmt: skip

ARRAYS = {
    "w": normal(216, 4), "v": normal(216, 4, seed=2), "u": normal(3, 4), "ww": normal(432, 4),
    "k": normal(4, 3, 2, 2), "l": normal(8, 5), "flat": np.array([0, -1]), "zero": np.array(0),
    "axis0": np.array([0]), "minus": np.array([-1]), "five": np.array([0, 3, 1, 9, 8]),
    "four_": np.array([0, 3, 9, 8]), "last2": np.array([2, 3]),
}  # fmt: skip


@pytest.mark.parametrize("name", AXES)
def test_axes(name, tmp_path):
    used = {i for node in AXES[name] for i in node[1].split()}
    check(tmp_path, made(AXES[name], {k: v for k, v in ARRAYS.items() if k in used}))


def test_flattened_images_need_no_turned_copy(tmp_path):
    """The rows of the dense layer's weights are in the order of the image here."""
    network = check(tmp_path, made(AXES["flatten"], {"w": ARRAYS["w"]}))
    assert [type(layer).__name__ for layer in network.layers] == ["Flatten", "Dense"]
    assert network.layers[-1].kernel[1].tolist() == ARRAYS["w"][72].tolist()  # the second channel


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -2, -3])
def test_concatenation(axis, tmp_path):
    nodes = [("Relu", "x", "a"), ("Concat", "x a x", "y", {"axis": axis})]
    check(tmp_path, made(nodes))


@pytest.mark.parametrize("op", ["Add", "Sum", "Mul", "Sub", "Max", "Min", "Mean"])
def test_results_brought_together(op, tmp_path):
    nodes = [("Relu", "x", "a"), ("Sigmoid", "x", "b"), (op, "a b", "y")]
    network = check(tmp_path, made(nodes))
    assert isinstance(network.layers[0], Graph)


@pytest.mark.parametrize("pads", [[0, 0, 1, 2, 0, 0, 3, 0], [0] * 8])
def test_pad(pads, tmp_path):
    check(tmp_path, made([("Pad", "x p", "y")], {"p": np.array(pads)}))
    check(tmp_path, made([("Pad", "x", "y", {"pads": pads})], opset=9))


def test_channels_last_in_the_file(tmp_path):
    """TensorFlow's: the input is turned by the file, so that it is not turned here."""
    nodes = [
        ("Transpose", "x", "a", {"perm": [0, 3, 1, 2]}),
        ("Conv", "a k", "b"),
        ("Transpose", "b", "y", {"perm": [0, 2, 3, 1]}),
    ]
    model = made(nodes, {"k": ARRAYS["k"]}, shape=("N", 9, 8, 3))
    network = read(tmp_path, model)
    assert len(network.layers) == 1
    x = normal(2, 9, 8, 3)
    assert network.predict(x, verbose=0) == pytest.approx(answer(model, x), rel=1e-5, abs=1e-5)


def test_batches_of_a_declared_size(tmp_path):
    nodes = [("Reshape", "x s", "f"), ("Gemm", "f w", "y")]
    model = made(nodes, {"w": ARRAYS["w"], "s": np.array([1, 216])}, shape=(1, 3, 9, 8))
    network = check(tmp_path, model)
    assert network.predict(normal(5, 9, 8, 3), verbose=0).shape == (5, 4)


# --- whole networks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["squeezenet", "shufflenet", "inception_v1", "inception_v2", "densenet121", "resnet50"]
)
def test_networks_that_come_with_onnx(name, tmp_path):
    model = with_random_weights(onnx.load(os.path.join(LIGHT, f"light_{name}.onnx")))
    check(tmp_path, model)


def test_a_network_is_like_any_other(tmp_path):
    """It trains, and it is written and read."""
    model = made(
        [
            ("Conv", "x k", "a"), ("BatchNormalization", "a s b m v", "c"), ("Relu", "c", "d"),
            ("Concat", "a d", "e", {"axis": 1}), ("GlobalAveragePool", "e", "f"),
            ("Flatten", "f", "g"), ("Gemm", "g w", "h"), ("Softmax", "h", "y"),
        ],
        {
            "k": ARRAYS["k"], "s": normal(4), "b": normal(4), "m": normal(4),
            "v": np.abs(normal(4)), "w": normal(8, 2),
        },
    )  # fmt: skip
    network = check(tmp_path, model)
    network.save(tmp_path / "net.keras")
    x = normal(40, 9, 8, 3)
    before = network.predict(x, verbose=0)
    for name in ("net.keras", "net.onnx"):
        again = pyconv.models.load_model(tmp_path / name)
        assert np.array_equal(again.predict(x, verbose=0), before)
    network.compile(pyconv.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    y = (x.mean((1, 2, 3)) > 0).astype(int)
    losses = network.fit(x, y, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("seed", range(12))
def test_random_networks(seed, tmp_path):
    """Layers in any order, with branches, on images of odd sizes."""
    rng = np.random.default_rng(seed)
    arrays, nodes = {}, []
    c, size = int(rng.integers(1, 5)), [int(n) for n in rng.integers(5, 14, 2)]
    shape, at = ("N", c, *size), "x"
    of_shape = {}  # the first result of each shape
    for i in range(int(rng.integers(3, 12))):
        before, to = of_shape.setdefault((c, *size), at), f"t{i}"
        kind = str(rng.choice(["conv", "norm", "pool", "relu", "lrn", "branch", "add"]))
        if kind == "conv":
            out, k = int(rng.integers(1, 9)), int(rng.choice([1, 3]))
            arrays[f"w{i}"] = normal(out, c, k, k, seed=i) / np.float32(np.sqrt(c * k * k))
            nodes.append(("Conv", f"{at} w{i}", to, {"pads": [k // 2] * 4}))
            c = out
        elif kind == "norm":
            for name in "sbm":
                arrays[f"{name}{i}"] = normal(c, seed=i)
            arrays[f"v{i}"] = 0.5 + np.abs(normal(c, seed=i))
            nodes.append(("BatchNormalization", f"{at} s{i} b{i} m{i} v{i}", to))
        elif kind == "pool" and min(size) >= 4:
            op = str(rng.choice(["MaxPool", "AveragePool"]))
            nodes.append((op, at, to, {"kernel_shape": [2, 2], "strides": [2, 2]}))
            size = [n // 2 for n in size]
        elif kind == "lrn":
            nodes.append(("LRN", at, to, {"size": 3}))
        elif kind == "branch":
            nodes += [("Sigmoid", at, f"a{i}"), ("Concat", f"{at} a{i}", to, {"axis": 1})]
            c *= 2
        elif kind == "add":
            nodes.append(("Add", f"{at} {before}", to))
        else:
            nodes.append((str(rng.choice(["Relu", "LeakyRelu"])), at, to))
        at = to
    arrays["wd"] = normal(c * size[0] * size[1], 4, seed=99) / np.float32(8)
    nodes += [("Flatten", at, "f"), ("Gemm", "f wd", "g"), ("Softmax", "g", "y")]
    check(tmp_path, made(nodes, arrays, shape=shape), n=int(rng.integers(1, 4)))
