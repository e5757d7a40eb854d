"""What the tests of the command line share: small data sets, and runs in a process of their own."""

import contextlib
import csv
import os
import signal
import struct
import subprocess
import sys

import numpy as np

from pyconv.cli import main

RESULTS = [
    "best.safetensors",
    "confusion_matrix.png",
    "history.csv",
    "learning_curves.png",
    "training.json",
]
BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")


def write_cifar10(folder, images=12):
    """Write CIFAR-10's binary layout with so many random images a batch; return the folder."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for name in BATCHES:
        records = rng.integers(0, 256, (images, 3073), np.uint8)
        records[:, 0] = np.arange(images) % 10
        records.tofile(folder / f"{name}.bin")
    return folder


def write_fashion_mnist(folder, images=40):
    """Write Fashion-MNIST's files with so many random images a part; return the folder."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for part in ("train", "t10k"):
        pixels = rng.integers(0, 256, (images, 28, 28), np.uint8).tobytes()
        header = struct.pack(">4B3I", 0, 0, 8, 3, images, 28, 28)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(header + pixels)
        labels = bytes(i % 10 for i in range(images))
        header = struct.pack(">4BI", 0, 0, 8, 1, images)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(header + labels)
    return folder


def train(data, out, *options):
    """Train on ``data``; return the exit status."""
    return main(["train", "--data", str(data), "--out", str(out), "--epochs", "1", *options])


def rows(folder):
    """Return the lines of history.csv."""
    with open(folder / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def environment(home, **variables):
    """Return an environment without pyconv's variables, with a home and without a network."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYCONV_")}
    for name in ("XDG_CACHE_HOME", "KERAS_HOME", "PYTHONIOENCODING", "PYTHONUNBUFFERED"):
        kept.pop(name, None)
    closed = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    return {**kept, **closed, "no_proxy": "", "NO_PROXY": "", "HOME": str(home), **variables}


def start(*arguments, home, env=None, **options):
    """Start ``python -m pyconv``; an interrupt is not ignored, whatever this process does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "pyconv", *arguments],
            env=environment(home, **(env or {})),
            cwd=home,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
    finally:
        signal.signal(signal.SIGINT, before)


def run(*arguments, home, env=None, **options):
    """Run ``python -m pyconv``; return its exit status, output and errors."""
    process = start(*arguments, home=home, env=env, **options)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@contextlib.contextmanager
def no_reader():
    """Yield the writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)
