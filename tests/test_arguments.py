"""Wrong arguments of every public operation: an error that names it and the argument, no harm."""

import inspect
import os
import pathlib
import re
import resource
import subprocess
import sys
import time

import numpy as np
import pytest

import pyconv
from pyconv import ops
from pyconv._args import shown


def ones(*shape):
    return np.ones(shape, np.float32)


BIG = 10**5000  # more digits than Python prints
NAN = float("nan")
X, W, Y = (2, 5, 6, 4), (3, 2, 4, 8), (2, 3, 5, 8)  # images, filters, maps
POOLED = (2, 2, 3, 4)

# of each operation: its arguments, and of each the kind and what it may be
OPERATIONS = {
    "conv2d": {
        "x": ("images", ones(*X)),
        "w": ("array", ones(*W)),
        "b": ("optional array", ones(8)),
        "strides": ("pair", 1),
        "padding": ("padding", "valid"),
        "dilation": ("pair", 1),
        "groups": ("integer", 1),
        "activation": ("activation", None),
    },
    "conv2d_backward_input": {
        "dy": ("array", ones(*Y)),
        "w": ("array", ones(*W)),
        "input_shape": ("shape", X),
        "strides": ("pair", 1),
        "padding": ("padding", "valid"),
        "dilation": ("pair", 1),
        "groups": ("integer", 1),
    },
    "conv2d_backward_filter": {
        "x": ("images", ones(*X)),
        "dy": ("array", ones(*Y)),
        "kernel_size": ("pair", W[:2]),
        "strides": ("pair", 1),
        "padding": ("padding", "valid"),
        "dilation": ("pair", 1),
        "groups": ("integer", 1),
    },
    "max_pool2d": {
        "x": ("images", ones(*X)),
        "pool_size": ("pair", 2),
        "strides": ("optional pair", None),
        "padding": ("padding", "valid"),
    },
    "max_pool2d_backward": {
        "x": ("images", ones(*X)),
        "dy": ("array", ones(*POOLED)),
        "pool_size": ("pair", 2),
        "strides": ("optional pair", None),
        "padding": ("padding", "valid"),
    },
    "avg_pool2d": {
        "x": ("images", ones(*X)),
        "pool_size": ("pair", 2),
        "strides": ("optional pair", None),
        "padding": ("padding", "valid"),
    },
    "avg_pool2d_backward": {
        "x": ("images or shape", ones(*X)),
        "dy": ("array", ones(*POOLED)),
        "pool_size": ("pair", 2),
        "strides": ("optional pair", None),
        "padding": ("padding", "valid"),
    },
    "global_avg_pool2d": {"x": ("array", ones(*X))},
    "global_avg_pool2d_backward": {"dy": ("array", ones(2, 4)), "input_shape": ("shape", X)},
    "dense": {
        "x": ("array", ones(2, 3)),
        "w": ("array", ones(3, 5)),
        "b": ("optional array", ones(5)),
        "activation": ("activation", None),
    },
    "dense_backward": {
        "x": ("array", ones(2, 3)),
        "w": ("array", ones(3, 5)),
        "dy": ("array", ones(2, 5)),
    },
    "dropout": {
        "x": ("any array", ones(2, 3)),
        "rate": ("share", 0.5),
        "seed": ("seed", 1),
    },
    "relu": {"x": ("any array", ones(2, 3))},
    "relu_backward": {"y": ("any array", ones(2, 3)), "dy": ("any array", ones(2, 3))},
    "softmax": {"x": ("any array", ones(2, 3))},
    "softmax_backward": {"y": ("any array", ones(2, 3)), "dy": ("any array", ones(2, 3))},
    "softmax_cross_entropy": {
        "logits": ("array", ones(2, 3)),
        "labels": ("labels", np.array([0, 2])),
    },
    "set_num_threads": {"n": ("integer", 1)},
    "set_conv_algorithm": {"algorithm": ("algorithm", "auto")},
}

# Axes of which one cell more is wrong, where another argument fixes them all.
FIXED = {
    ("conv2d", "b"): (0,),
    ("conv2d_backward_input", "dy"): (0, 1, 2, 3),
    ("conv2d_backward_filter", "dy"): (0, 1, 2),
    ("max_pool2d_backward", "dy"): (0, 1, 2, 3),
    ("avg_pool2d_backward", "dy"): (0, 1, 2, 3),
    ("global_avg_pool2d_backward", "dy"): (0, 1),
    ("dense", "b"): (0,),
    ("dense_backward", "x"): (0, 1),
    ("dense_backward", "dy"): (0, 1),
    ("relu_backward", "dy"): (0, 1),
    ("softmax_backward", "dy"): (0, 1),
}

NOT_NUMBERS = [None, "1", b"1", 1j, object(), [], {}, np.array([1, 1]), np.array(["a"]), len, NAN]
NOT_INTEGERS = [*NOT_NUMBERS, 1.0, float("inf"), True, np.True_, np.float32(1), np.array(1.0)]
NO_POSITIVE = [0, -1, 2**31, 2**63 - 1, 2**63, -(2**63), BIG, -BIG, np.int64(-1), np.uint64(2**63)]
DTYPES = "f8 f2 i1 i4 i8 u1 u8 ? c8 O U3 S3 M8[s] >f4"


def of_dtype(array, dtype):
    return np.zeros(array.shape, dtype)


def wrong_arrays(array, any_rank=False):
    for dtype in DTYPES.split():
        yield of_dtype(array, dtype), TypeError, r'astype\("float32"\)'
    yield np.zeros(array.shape, [("a", "f4"), ("b", "O")]), TypeError, "float32"
    for value in ([], [1.0], array.tolist(), (1,), 1.0, "x", object, memoryview(b"x")):
        yield value, TypeError, r'np.asarray\(\w+, "float32"\)'
    for axis in range(array.ndim):
        huge = list(array.shape)
        huge[axis] = 2**50
        yield np.broadcast_to(np.float32(0), huge), ValueError, None
    if not any_rank:
        for other in (array[None], array[..., 0], np.array(1, np.float32), ones(1, 1, 1, 1, 1, 1)):
            yield other, ValueError, None
        for axis in range(1, array.ndim):
            yield np.zeros_like(np.take(array, [], axis)), ValueError, None


def wrong_integers(minimum=1):
    for value in NOT_INTEGERS:
        yield value, TypeError, "integer"
    for value in NO_POSITIVE:
        if minimum == 1 or value != 0:
            yield value, ValueError, None


def wrong_pairs(minimum=1):
    for value, error, text in wrong_integers(minimum):
        if not isinstance(value, list):
            yield value, error, text
            yield (1, value), error, text
            yield [value, 1], error, text
    for value in ((), [], (1,), (1, 1, 1), [1] * 10**5):
        yield value, ValueError, None


def wrong(kind, value):
    """Yield (argument, error, text in its message or None)."""
    if kind == "images or shape":
        for other, error, text in wrong("images", value):
            if not isinstance(other, (list, tuple)):
                yield other, error, text
        yield from (w for w in wrong("shape", value.shape) if not isinstance(w[0], np.ndarray))
    if kind in ("array", "images", "optional array", "any array"):
        yield from wrong_arrays(value, kind == "any array")
        if not kind.startswith("optional"):
            yield None, TypeError, None
        if kind == "images":
            yield np.broadcast_to(np.float32(0), (0, 2**20, 2**20, 4)), ValueError, None
    if kind == "integer":
        yield from wrong_integers()
    if kind in ("pair", "optional pair"):
        yield from (w for w in wrong_pairs() if kind == "pair" or w[0] is not None)
    if kind == "padding":
        for name in ("full", "", "valid ", "\ud800", "x" * 10**6):
            yield name, ValueError, "'valid', 'same'"
        for value, error, text in wrong_pairs(0):
            if not isinstance(value, str):
                yield value, error, text
        yield 2**31 - 1, ValueError, None
        yield ((2**31 - 1, 2**31 - 1), (2**31 - 1, 0)), ValueError, None
        yield ((1, 2, 3), (1, 1)), ValueError, None
        yield ((1, -1), (1, 1)), ValueError, None
    if kind == "activation":
        for name in ("tanh", "", "\ud800", "x" * 10**6):
            yield name, ValueError, "None or 'relu'"
        for other in (1, True, b"relu", ["relu"], np.array(["relu", "relu"]), len, NAN):
            yield other, TypeError, "None or 'relu'"
    if kind == "algorithm":
        for name in ("fft", "", "\ud800", "AUTO", "x" * 10**6):
            yield name, ValueError, "'winograd'"
        for other in (None, 1, b"auto", ["auto"], NAN):
            yield other, TypeError, "string"
    if kind == "shape":
        for other in (None, 5, "nhwc", np.array(value), NAN, set(value), iter(value)):
            yield other, TypeError, None
        for other in ((), value[:3], (*value, 1), [1] * 10**5):
            yield other, ValueError, None
        for axis in range(4):
            for extent in (-1, 2**31, 2**63, BIG, *([0] if axis else [])):
                yield (*value[:axis], extent, *value[axis + 1 :]), ValueError, None
            for extent in (None, 1.0, "1", NAN, True):
                yield (*value[:axis], extent, *value[axis + 1 :]), TypeError, None
            yield (*value[:axis], 2**31 - 1, *value[axis + 1 :]), ValueError, None
        yield (0, 2**31 - 1, 2**31 - 1, 2**31 - 1), ValueError, None
        yield (value[0] + 1, *value[1:]), ValueError, None
        yield (*value[:3], value[3] + 1), ValueError, None
    if kind == "share":
        for other in (-0.1, 1.5, NAN, float("inf"), -float("inf"), BIG, np.float32(2), 2**63):
            yield other, ValueError, None
        for other in (*NOT_NUMBERS[:-1], True, np.True_, np.complex64(0.5)):
            yield other, TypeError, "number"
    if kind == "seed":
        for other in (-1, 2**63, BIG, np.uint64(2**63)):
            yield other, ValueError, None
        for other in NOT_INTEGERS:
            yield other, TypeError, "integer"
    if kind == "labels":
        for other in (None, [0, 2], "ab", 1, np.array([True, False]), np.array(["a", "b"])):
            yield other, TypeError, "integers or of float32"
        for dtype in ("f8", "f2", ">f4"):
            yield np.zeros((2, 3), dtype), TypeError, r'astype\("float32"\)'
        for other in ([0, 3], [-1, 0], [2**31, 0], [2**63 - 1, 0], [0], [0, 1, 2], [[0, 1]], []):
            yield np.array(other, np.int64), ValueError, None
        yield np.array([2**63, 0], np.uint64), ValueError, None
        yield np.broadcast_to(np.int64(0), (2**50,)), ValueError, None
        for share in (NAN, float("inf"), -1.0):
            yield np.full((2, 3), share, np.float32), ValueError, "probabilities"
        for shape in ((2,), (2, 1), (2, 4), (3, 3), (1, 2, 3), ()):
            yield np.zeros(shape, np.float32), ValueError, None
        yield np.broadcast_to(np.float32(0), (2**50, 3)), ValueError, None


def function(name):
    return getattr(ops, name, None) or getattr(pyconv, name)


@pytest.fixture
def bounded():
    """The test may take 1 GB more address space, and at most 64 MB of memory."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + 2**30, limits[1]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def complaint(name, argument, given, error, text):
    """Return what is wrong with the answer to one wrong argument, or None."""
    arguments = {k: v for k, (_, v) in OPERATIONS[name].items()}
    start = time.monotonic()
    try:
        function(name)(**{**arguments, argument: given})
    except error as caught:
        message = str(caught)
    except Exception as caught:
        return f"{caught!r:.300}"
    else:
        return "no error"
    if time.monotonic() - start > 1:
        return "took more than a second"
    if len(message) > 400 or re.search(r"std::|pybind|pyconv::|incompatible", message):
        return f"says {message:.500}"
    # Where shapes disagree, an error may name the other one.
    kinds = OPERATIONS[name]
    also = [k for k, (kind, _) in kinds.items() if re.search("array|image|shape|label", kind)]
    names = [argument, *(also if error is ValueError and argument in also else [])]
    if not re.match(rf"{name}: .*(\b({'|'.join(names)})\b|window|result|image)", message):
        return f"does not name it: {message}"
    if text and not re.search(text, message):
        return f"does not say {text!r}: {message}"
    return None


@pytest.mark.parametrize("name", OPERATIONS)
def test_wrong_arguments(name, bounded):
    before = pyconv.get_num_threads(), pyconv.get_conv_algorithm()
    faults = []
    for argument, (kind, value) in OPERATIONS[name].items():
        for given, error, text in wrong(kind, value):
            if fault := complaint(name, argument, given, error, text):
                faults.append(f"{argument}={shown(given)}: {fault}")
    assert not faults, "\n" + "\n".join(faults)
    assert (pyconv.get_num_threads(), pyconv.get_conv_algorithm()) == before


@pytest.mark.parametrize(("name", "argument"), FIXED)
def test_wrong_shapes(name, argument):
    value = OPERATIONS[name][argument][1]
    for axis in FIXED[name, argument]:
        for other in (np.repeat(value, 2, axis), np.take(value, [], axis)):
            assert not complaint(name, argument, other, ValueError, "must"), other.shape


def test_every_operation_is_here():
    public = {*ops.__all__, "set_num_threads", "set_conv_algorithm"}
    assert set(OPERATIONS) == public
    for name, arguments in OPERATIONS.items():
        assert list(inspect.signature(function(name)).parameters) == list(arguments)


class Subclass(np.ndarray):
    """An array that says wrong things of itself."""

    shape = property(lambda self: (1,))
    dtype = property(lambda self: np.dtype("f8"))
    ndim = property(lambda self: 9)


@pytest.mark.parametrize("name", ops.__all__)
def test_arrays_of_any_layout(name):
    """Read-only, unaligned, transposed and subclassed arrays; an empty batch."""
    arguments = {k: v for k, (_, v) in OPERATIONS[name].items()}
    arrays = [k for k, v in arguments.items() if isinstance(v, np.ndarray)]
    rng = np.random.default_rng(1)
    for k in arrays:
        if arguments[k].dtype == np.float32:
            arguments[k] = rng.standard_normal(arguments[k].shape, np.float32)

    def call(change):
        results = function(name)(
            **{k: change(v) if k in arrays else v for k, v in arguments.items()}
        )
        return [r.tolist() for r in (results if isinstance(results, tuple) else (results,))]

    def unaligned(a):
        memory = np.empty(a.nbytes + 1, np.uint8)[1:]
        view = memory.view(a.dtype).reshape(a.shape)
        view[...] = a
        view.flags.writeable = False
        return view

    wanted = call(np.copy)
    for change in (
        unaligned,
        np.asfortranarray,
        lambda a: a.view(Subclass),
        lambda a: a[::-1].copy()[::-1],
    ):
        assert call(change) == wanted


@pytest.mark.parametrize("name", ops.__all__)
def test_empty_batch(name):
    batch = {"x", "dy", "y", "logits", "labels"}
    arguments = {
        k: v[:0] if k in batch else (0, *v[1:]) if kind == "shape" else v
        for k, (kind, v) in OPERATIONS[name].items()
    }
    results = function(name)(**arguments)
    for r in results if isinstance(results, tuple) else (results,):
        assert r.dtype == np.float32
        assert not r.any()  # of no elements, or a gradient of nothing


def test_environment(tmp_path):
    for text in ("0", "-1", "x", "99999999999999999999"):
        code = subprocess.run(
            [sys.executable, "-c", "import pyconv.backend"],
            env={**os.environ, "PYCONV_NUM_THREADS": text},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert code.returncode == 1
        assert "PYCONV_NUM_THREADS: must be an integer from 1 to 256, got" in code.stderr
