"""``pyconv doctor``."""

import argparse
import os
import platform

import numpy as np

import pyconv
from pyconv import backend, ops


def run(arguments: argparse.Namespace) -> int:
    """Print what pyconv runs on, and check the kernels against numpy."""
    native = backend.active
    print(
        f"pyconv {pyconv.__version__}, Python {platform.python_version()}, numpy {np.__version__}"
    )
    print(f"instruction set: {native.isa()} (available: {', '.join(native.available_isas())})")
    print(f"threads: {native.get_num_threads()}")
    print("CUDA: not built")
    for name in sorted(name for name in os.environ if name.startswith("PYCONV_")):
        print(f"{name}={os.environ[name]}")
    chosen = native.isa()
    broken = False
    for isa in native.available_isas():
        native.set_isa(isa)
        error = _error()
        broken = broken or not error < 1e-5
        print(f"self-test {isa}: {'ok' if error < 1e-5 else 'BROKEN'} (error {error:.1e})")
    native.set_isa(chosen)
    return int(broken)


def _error() -> float:
    """Return the largest error of a convolution and a product against numpy in float64."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 9, 9, 5), np.float32)
    w = rng.standard_normal((3, 3, 5, 19), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(float), (3, 3), (1, 2))
    expected = np.einsum("nhwcij,ijco->nhwo", windows, w.astype(float))
    convolution = np.abs(ops.conv2d(x, w) - expected).max() / np.abs(expected).max()
    a = rng.standard_normal((7, 130), np.float32)
    b = rng.standard_normal((130, 19), np.float32)
    product = a.astype(float) @ b.astype(float)
    return float(max(convolution, np.abs(ops.dense(a, b) - product).max() / np.abs(product).max()))
