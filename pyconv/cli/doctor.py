"""``pyconv doctor``."""

import argparse
import math
import os
import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

import pyconv
from pyconv import backend, ops
from pyconv._devices import why_no_cuda
from pyconv._types import Array

_TOLERANCE = 1e-5


def run(arguments: argparse.Namespace) -> int:
    """Print what pyconv runs on, and check the kernels against numpy; 1 where they are wrong."""
    native = backend.cpu
    print(f"pyconv {pyconv.__version__} in {os.path.dirname(pyconv.__file__)}")
    print(f"Python {platform.python_version()}, {platform.platform()}")
    print(", ".join(f"{name} {version(name)}" for name in ("numpy", "rich", "safetensors")))
    for name, use in (("matplotlib", "figures"), ("pillow", "predict")):
        print(f"{name} {_version(name)} ({use})")
    print(f"processor: {_processor()}")
    print(f"instruction set: {native.isa()} (available: {', '.join(native.available_isas())})")
    print(f"threads: {native.get_num_threads()} (cores: {_cores()})")
    print(f"CUDA: {_cuda()}")
    print(f"device: {pyconv.get_device()}")
    print(f"CIFAR-10: {_cifar10()}")
    for name in sorted(name for name in os.environ if name.startswith("PYCONV_")):
        print(f"{name}={os.environ[name]}")
    return int(not _self_test())


def _self_test() -> bool:
    """Print the error of each instruction set and GPU; whether all are small."""
    native = backend.cpu
    chosen = native.isa()
    good = True
    for isa in native.available_isas():
        native.set_isa(isa)
        with pyconv.device("cpu"):
            good = _passes(isa) and good
    native.set_isa(chosen)
    for device in pyconv.devices()[1:]:
        with pyconv.device(device.name):
            good = _passes(device.name) and good
    return good


def _passes(name: str) -> bool:
    error = max(_convolution_errors() + _dense_errors(), key=_rank)
    right = error < _TOLERANCE  # False for NaN
    print(f"self-test {name}: {'ok' if right else 'BROKEN'} (error {error:.1e})")
    return right


def _cuda() -> str:
    reason = why_no_cuda()
    if reason is None:
        return "; ".join(f"{d.name}: {d.description}" for d in pyconv.devices()[1:])
    return reason.removeprefix("CUDA is ")


def _rank(error: float) -> float:
    return math.inf if math.isnan(error) else error  # max alone would pass over NaN


def _convolution_errors() -> list[float]:
    """Return the errors of a convolution and its gradients against numpy in float64."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 9, 9, 5), np.float32)
    w = rng.standard_normal((3, 3, 5, 19), np.float32)
    dy = rng.standard_normal((2, 7, 7, 19), np.float32)
    y = np.zeros(dy.shape)
    dx = np.zeros(x.shape)
    dw = np.zeros(w.shape)
    for i in range(3):
        for j in range(3):
            window = np.s_[:, i : i + 7, j : j + 7]
            y += x[window].astype(float) @ w[i, j]
            dx[window] += dy.astype(float) @ w[i, j].T
            dw[i, j] = np.tensordot(x[window].astype(float), dy, ((0, 1, 2), (0, 1, 2)))
    return [
        _error(ops.conv2d(x, w), y),
        _error(ops.conv2d_backward_input(dy, w, x.shape), dx),
        _error(ops.conv2d_backward_filter(x, dy, (3, 3)), dw),
    ]


def _dense_errors() -> list[float]:
    """Return the errors of a dense layer and its gradients against numpy in float64."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((7, 130), np.float32)
    w = rng.standard_normal((130, 19), np.float32)
    dy = rng.standard_normal((7, 19), np.float32)
    dx, dw, db = ops.dense_backward(x, w, dy)
    return [
        _error(ops.dense(x, w), x.astype(float) @ w),
        _error(dx, dy.astype(float) @ w.T),
        _error(dw, x.T.astype(float) @ dy),
        _error(db, dy.astype(float).sum(axis=0)),
    ]


def _error(got: Array, wanted: NDArray[np.float64]) -> float:
    return float(np.abs(got - wanted).max() / np.abs(wanted).max())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return f"is not installed: pip install {package}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            names = [line for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0].partition(":")[2].strip() if names else platform.machine()


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _cifar10() -> str:
    from pyconv.datasets import _cifar_files
    from pyconv.datasets._search import find

    found = find(_cifar_files.CATALOG)
    return "not on this machine" if found is None else str(found)
