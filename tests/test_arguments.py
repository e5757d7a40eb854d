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
from wrong_arguments import wrong

import pyconv
from pyconv import backend, ops
from pyconv._args import shown


def ones(*shape):
    return np.ones(shape, np.float32)


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


def function(name):
    return getattr(ops, name, None) or getattr(pyconv, name)


@pytest.fixture
def bounded():
    """The test may take 1 GB more address space, and at most 64 MB of memory.

    A device takes addresses for the memory that it has, and kernels stacks.
    """
    if backend.active is not backend.cpu:
        yield
        return
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
