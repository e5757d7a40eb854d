"""The native module: what its stub declares, and the buffers that its functions write."""

import ast
import pathlib
import re

import numpy as np
import pytest

import pyconv
from pyconv import backend

native = backend.active


def ones(*shape):
    return np.ones(shape, np.float32)


X, WINDOWS = ones(2, 4, 6, 8), ((2, 2), (2, 2), (0, 0, 0, 0))
GEOMETRY = ((1, 1), (0, 0, 0, 0), (1, 1), 1)

# of each function with an `out`: arguments, and the shape of the result
CALLS = {
    "conv2d_forward": ((X, ones(2, 2, 8, 3), ones(3), *GEOMETRY, "linear"), (2, 3, 5, 3)),
    "conv2d_maxpool2d_forward": (
        (X, ones(2, 2, 8, 3), ones(3), *GEOMETRY, "linear", *WINDOWS),
        (2, 1, 2, 3),
    ),
    "conv2d_backward_input": ((ones(2, 3, 5, 3), ones(2, 2, 8, 3), X.shape, *GEOMETRY), X.shape),
    "conv2d_backward_filter": ((X, ones(2, 3, 5, 3), (2, 2), *GEOMETRY), (2, 2, 8, 3)),
    "filter2d": ((X[0], ones(3, 3), (1, 1), "reflect", 0.0, "float32"), (4, 6, 8)),
    "gaussian_blur": ((X[0], ones(3), ones(3), "reflect"), (4, 6, 8)),
    "median_blur": ((X[0], 3), (4, 6, 8)),
    "bilateral_filter": ((X[0, :, :, :3], 2, 1.0, 1.0, "wrap"), (4, 6, 3)),
    "box_filter": ((X[0], (2, 3), (0, 0), True, "valid"), (3, 4, 8)),
    "bias_backward": ((ones(5, 3),), (3,)),
    "maxpool2d_forward": ((X, *WINDOWS), (2, 2, 3, 8)),
    "maxpool2d_backward": ((X, ones(2, 2, 3, 8), *WINDOWS), X.shape),
    "avgpool2d_forward": ((X, *WINDOWS), (2, 2, 3, 8)),
    "avgpool2d_backward": ((ones(2, 2, 3, 8), X.shape, *WINDOWS), X.shape),
    "global_avgpool2d_forward": ((X,), (2, 8)),
    "global_avgpool2d_backward": ((ones(2, 8), X.shape), X.shape),
    "dense_forward": ((ones(4, 3), ones(3, 2), ones(2), "linear"), (4, 2)),
    "dense_backward_input": ((ones(4, 2), ones(3, 2)), (4, 3)),
    "dense_backward_weights": ((ones(4, 3), ones(4, 2)), (3, 2)),
    "batchnorm_forward": ((ones(5, 3), *[ones(3)] * 4, ones(3), 1e-3), (5, 3)),
    "add_forward": ((ones(4, 3), ones(4, 3)), (4, 3)),
    "concat_forward": (([ones(4, 3), ones(4, 5)],), (4, 8)),
    "lrn_forward": ((X, 2, 1.0, 0.1, 0.5), X.shape),
    "lrn_backward": ((X, X, 2, 1.0, 0.1, 0.5), X.shape),
    "relu_forward": ((ones(7),), (7,)),
    "relu_backward": ((ones(7), ones(7)), (7,)),
    "dropout": ((ones(7), 0.5, 1, 0), (7,)),
    "dropout_at": ((ones(7), 0.5, 1, np.zeros(1, np.int64)), (7,)),
    "softmax_forward": ((ones(4, 3),), (4, 3)),
    "softmax_backward": ((ones(4, 3), ones(4, 3)), (4, 3)),
    "argmax_hits": ((ones(4, 3), ones(4, 3)), (4,)),
    "augment": (
        (X, [("erase", np.array([[0, 2, 1, 3]] * 2), ones(2, 8))], np.array([1, 0])),
        X.shape,
    ),
    "gather_rows": ((ones(4, 3), np.array([3, 1])), (2, 3)),
    "copied": ((ones(7),), (7,)),
    "peak_triad": ((ones(7), ones(7)), (7,)),
}
IN_PLACE = {
    *(
        "relu_forward",
        "relu_backward",
        "dropout",
        "dropout_at",
        "softmax_forward",
        "softmax_backward",
    ),
    "peak_triad",
}


def declared(text):
    """Return the names of functions in Python source, each with its arguments and defaults."""
    functions = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            defaults = [ast.literal_eval(d) for d in node.args.defaults]
            names = [a.arg for a in node.args.args]
            assert not node.args.kwonlyargs
            functions[node.name] = (
                names,
                dict(zip(reversed(names), reversed(defaults), strict=False)),
            )
    return functions


def class_body(text, name):
    """Return the source of the methods of a class."""
    (node,) = (n for n in ast.parse(text).body if isinstance(n, ast.ClassDef) and n.name == name)
    return "\n".join(map(ast.unparse, node.body))


def test_stub():
    source = (pathlib.Path(pyconv.__file__).parent / "_cpu.pyi").read_text()
    for place, body in [
        (native, source),
        (native.Prediction, class_body(source, "Prediction")),
    ]:
        stub = declared(body)
        functions = {n: getattr(place, n) for n in dir(place) if not n.startswith("_")}
        functions = {n: f for n, f in functions.items() if not isinstance(f, type)}
        assert stub.keys() == functions.keys()
        for name, function in functions.items():
            # pybind11 gives the type of self in a form that is not Python.
            signature = re.sub(r"self: [^,)]*", "self", function.__doc__.splitlines()[0])
            names, defaults = declared(f"def {signature}: ...")[name]
            assert stub[name][0] == names, name
            assert stub[name][1] == pytest.approx(defaults), name


def test_every_function_with_an_out_is_here():
    stub = declared((pathlib.Path(pyconv.__file__).parent / "_cpu.pyi").read_text())
    assert CALLS.keys() == {name for name, (names, _) in stub.items() if "out" in names}


@pytest.mark.parametrize("name", CALLS)
def test_out(name):
    arguments, shape = CALLS[name]
    function = getattr(native, name)
    fresh = function(*arguments)
    assert fresh.shape == shape
    out = np.full(shape, np.nan, np.float32)
    assert function(*arguments, out=out) is out
    assert np.array_equal(out, fresh)

    fixed = np.zeros(shape, np.float32)
    fixed.flags.writeable = False
    for wrong, error, text in [
        (ones(*shape, 1), ValueError, "must be"),
        (ones(*shape[:-1], shape[-1] + 1), ValueError, "must be"),
        (np.zeros(shape), TypeError, "float32 array"),
        (np.zeros(shape, ">f4"), TypeError, "float32 array"),
        (fresh.tolist(), TypeError, "float32 array"),
        (np.zeros((*shape, 2), np.float32)[..., 0], ValueError, "C-contiguous"),
        (np.zeros(4 * fresh.size + 1, np.uint8)[1:].view("f4").reshape(shape), ValueError, "C-c"),
        (fixed, ValueError, "writable"),
    ]:
        with pytest.raises(error, match=f": out must be .*{text}|: out .*{text}"):
            function(*arguments, out=wrong)
    assert not fixed.any()


@pytest.mark.parametrize("name", CALLS)
def test_out_within_an_input(name):
    arguments, shape = CALLS[name]
    function = getattr(native, name)
    size = int(np.prod(shape))
    for i, argument in enumerate(arguments):
        if not isinstance(argument, np.ndarray) or argument.dtype != np.float32:
            continue
        memory = np.ones(max(size, argument.size) + 1, np.float32)
        inside = memory[: argument.size].reshape(argument.shape)
        given = [*arguments[:i], inside, *arguments[i + 1 :]]
        shifted = memory[1 : 1 + size].reshape(shape)
        with pytest.raises(ValueError, match="out must not share memory"):
            function(*given, out=shifted)
        if name in IN_PLACE:
            wanted = function(*given)
            assert np.array_equal(function(*given, out=inside), wanted)


def test_cross_entropy_writes_apart_from_what_it_reads():
    logits = ones(3, 4)
    for labels in (np.zeros(3, np.int64), ones(3, 4)):
        with pytest.raises(ValueError, match="grad must not share memory"):
            native.softmax_cross_entropy(logits, labels, grad=logits)
    with pytest.raises(ValueError, match="grad must not share memory"):
        native.softmax_cross_entropy(logits, labels, grad=labels)
    scale = ones(3)
    with pytest.raises(ValueError, match="loss must not share memory"):
        native.softmax_cross_entropy(logits, labels, scale, loss=scale)


def test_winners_apart_from_the_result():
    arguments, shape = CALLS["conv2d_maxpool2d_forward"]
    out = np.empty(shape, np.float32)
    with pytest.raises(ValueError, match="winners must not share memory"):
        native.conv2d_maxpool2d_forward(*arguments, out, winners=out)


@pytest.mark.parametrize("images", [2, 9])
@pytest.mark.parametrize("cell", [-1, 4, 2.5, np.nan, np.inf, 3e38])
def test_winners_outside_their_windows(cell, images):
    """They get no gradient, and nothing is written elsewhere."""
    x, dy = ones(images, 4, 6, 8), ones(images, 2, 3, 8)
    winners, w, dx, dw = np.full_like(dy, cell), ones(1, 1, 8, 8), x * 2, ones(1, 1, 8, 8)
    native.conv2d_maxpool2d_backward(
        x, w, dy, winners, dy, *GEOMETRY, "linear", *WINDOWS, dx, dw=dw, db=ones(8)
    )
    assert not dx.any()
    assert not dw.any()


@pytest.mark.parametrize("name", ["dx", "dw", "db"])
def test_gradients_apart_from_what_they_are_taken_from(name):
    dy, w = ones(2, 2, 3, 8), ones(1, 1, 8, 8)
    outputs = {"dx": X, "dw": w, "db": dy.reshape(-1)[:8]}
    with pytest.raises(ValueError, match=f"{name} must not share memory"):
        native.conv2d_maxpool2d_backward(
            X, w, dy, dy, dy, *GEOMETRY, "relu", *WINDOWS, **{name: outputs[name]}
        )
    with pytest.raises(ValueError, match=r"y must be \(2, 2, 3, 8\), got \(2, 4, 6, 8\)"):
        native.conv2d_maxpool2d_backward(X, w, X, dy, dy, *GEOMETRY, "relu", *WINDOWS)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"velocities": 3}, TypeError, "velocities must be a list of arrays"),
        ({"velocities": None}, ValueError, "velocities must be given"),
        ({"velocities": [ones(2)] * 2}, ValueError, "velocities must hold 1 arrays"),
        ({"velocities": [None]}, ValueError, "velocities must hold arrays"),
        ({"velocities": [ones(3)]}, ValueError, r"velocities must be \(2,\), got \(3,\)"),
        ({"velocities": [np.ones(2)]}, TypeError, "velocities must be a float32"),
        ({"params": [np.ones(2)]}, TypeError, "params must be a float32"),
        ({"params": []}, ValueError, "grads must hold 0"),
        ({"grads": [ones(1)]}, ValueError, r"params must be \(1,\)"),
        ({"grads": ["x"]}, TypeError, "grads must be a float32"),
    ],
)
def test_optimizer_states(change, error, text):
    arguments = {
        "params": [ones(2)],
        "grads": [ones(2)],
        "velocities": [ones(2)],
        "learning_rate": 0.1,
        "momentum": 0.9,
    }
    with pytest.raises(error, match=f"sgd_update: {text}"):
        native.sgd_update(**{**arguments, **change})


@pytest.mark.parametrize(
    ("x", "indices", "error", "text"),
    [
        (ones(4, 3), [0], TypeError, "indices must be an int64 array"),
        (ones(4, 3), np.array([0], np.int32), TypeError, "indices must be an int64 array"),
        (ones(4, 3), np.array([4]), ValueError, "indices must be from 0 to 3, got 4"),
        (ones(4, 3), np.array([-1]), ValueError, "indices must be from 0 to 3, got -1"),
        (ones(4, 3), np.array([[0]]), ValueError, r"indices must be \(N,\)"),
        (ones(0, 3), np.array([0]), ValueError, "indices must be from 0"),
        (ones(4, 3).T, np.array([0]), ValueError, "x must be a C-contiguous"),
        (np.zeros(33, np.uint8)[1:].view("f8"), np.array([0]), ValueError, "aligned"),
        (ones(), np.array([0]), ValueError, "at least one dimension"),
        (np.ones((4, 3), int), np.array([0]), TypeError, "x must be a uint8"),
        ("x", np.array([0]), TypeError, "x must be a uint8"),
        (np.ones(4, np.uint8), np.broadcast_to(np.int64(0), (2**50,)), ValueError, "indices"),
    ],
)
def test_gather_rows(x, indices, error, text):
    with pytest.raises(error, match=f"gather_rows: .*{text}"):
        native.gather_rows(x, indices)


def test_gather_rows_of_each_type():
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 9, 20)
    for dtype in (np.uint8, np.float32, np.float64):
        x = rng.integers(0, 256, (9, 3, 7)).astype(dtype)
        assert np.array_equal(native.gather_rows(x, rows), x[rows].astype(np.float32))
        assert native.gather_rows(x, rows[:0]).shape == (0, 3, 7)
        assert native.gather_rows(x[:, :, :0], rows).shape == (20, 3, 0)


def test_geometry_at_the_border():
    """What pyconv.ops checks before, an own caller of the module may get wrong."""
    big = 2**63 - 1
    x, w = ones(1, 4, 4, 2), ones(2, 2, 2, 3)
    for strides, padding, dilation, groups in [
        ((0, 1), (0, 0, 0, 0), (1, 1), 1),
        ((1, -big), (0, 0, 0, 0), (1, 1), 1),
        ((1, 1), (-1, 0, 0, 0), (1, 1), 1),
        ((1, 1), (big, big, 0, 0), (1, 1), 1),
        ((1, 1), (big, 0, big, 0), (1, 1), 1),
        ((1, 1), (0, 0, 0, 0), (big, big), 1),
        ((1, 1), (0, 0, 0, 0), (0, 1), 1),
        ((1, 1), (0, 0, 0, 0), (1, 1), 0),
        ((1, 1), (0, 0, 0, 0), (1, 1), -1),
        ((1, 1), (0, 0, 0, 0), (1, 1), 3),
        ((1, 1), (0, 0, 0, 0), (1, 1), big),
    ]:
        with pytest.raises(ValueError, match="^conv2d: "):
            native.conv2d_forward(x, w, None, strides, padding, dilation, groups)
        with pytest.raises(ValueError, match="^conv2d_backward_filter: "):
            native.conv2d_backward_filter(x, x, (2, 2), strides, padding, dilation, groups)
    for shape in [(-1, 4, 4, 2), (1, 0, 4, 2), (1, -4, 4, 2), (big,) * 4, (1, 4, 4, -2)]:
        with pytest.raises(ValueError, match="^conv2d_backward_input: "):
            native.conv2d_backward_input(x, w, shape, (1, 1), (0, 0, 0, 0), (1, 1), 1)
        with pytest.raises(ValueError, match="^avg_pool2d_backward: "):
            native.avgpool2d_backward(x, shape, *WINDOWS)
        with pytest.raises(ValueError, match="^global_avg_pool2d_backward: "):
            native.global_avgpool2d_backward(ones(1, 2), shape)
    for kernel in [(0, 1), (-1, 1), (big, big), (big, 1)]:
        with pytest.raises(ValueError, match="^conv2d_backward_filter: "):
            native.conv2d_backward_filter(x, x, kernel, *GEOMETRY)
        with pytest.raises(ValueError, match="^max_pool2d: "):
            native.maxpool2d_forward(x, kernel, (1, 1), (0, 0, 0, 0))
    for padding in [(2, 0, 0, 0), (0, 2, 0, 0), (0, 0, 0, 9)]:
        with pytest.raises(ValueError, match=r"^max_pool2d: padding .* without a cell"):
            native.maxpool2d_forward(x, (2, 2), (2, 2), padding)
    wide = np.broadcast_to(np.float32(0), (1, 4100, 4100, 1))
    with pytest.raises(ValueError, match=r"^max_pool2d: pool_size .* 2\*\*24 pixels"):
        native.maxpool2d_forward(wide, (4100, 4100), (1, 1), (0, 0, 0, 0))
