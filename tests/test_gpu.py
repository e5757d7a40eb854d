"""What only a GPU can show: `pytest -m gpu` runs it, with all tests of operations and training."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

import pyconv
from pyconv import backend, ops, zoo

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not pyconv.get_device().startswith("cuda") or backend.active.__name__ != "pyconv._cuda",
        reason="needs a GPU: pytest -m gpu",
    ),
]
RNG = np.random.default_rng(2)


def test_doctor(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pyconv", "doctor"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "self-test cuda:0: ok" in done.stdout


def test_training_of_the_courses_network():
    x, y = RNG.random((256, 32, 32, 3), np.float32), RNG.integers(0, 10, 256)
    losses = []
    for device in ("cpu", "cuda"):
        with pyconv.device(device):
            pyconv.utils.set_random_seed(1)
            model = zoo.deck_cnn()
            model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
            losses.append(model.fit(x, y, 32, 2, verbose=0).history["loss"])
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


@pytest.mark.parametrize("groups", [1, 4])
def test_tensor_cores(groups):
    """TF32 has 10 bits of mantissa: the error is between that of float32 and 2^-10 a factor."""
    x = RNG.standard_normal((4, 16, 16, 64), np.float32)
    w = RNG.standard_normal((3, 3, 64 // groups, 64), np.float32)
    exact = ops.conv2d(x, w, padding="same", groups=groups)
    try:
        pyconv.set_float32_precision("high")
        fast = ops.conv2d(x, w, padding="same", groups=groups)
        assert fast.tobytes() == ops.conv2d(x, w, padding="same", groups=groups).tobytes()
    finally:
        pyconv.set_float32_precision("highest")
    products = 9 * 64 // groups
    assert np.abs(fast - exact).max() < 8 * 2.0**-10 * products**0.5


def test_benchmark(tmp_path):
    command = [sys.executable, "-m", "pyconv", "bench", "--quick", "--device", "cuda"]
    command += ["--filter", "64→64", "--filter", "deck CNN batch 32", "--json"]
    subprocess.run([*command, str(tmp_path / "bench.json")], cwd=tmp_path, check=True)
    report = json.loads((tmp_path / "bench.json").read_text())
    assert report["cases"]
    for row in report["cases"]:
        assert row["timings"]["pyconv"]["error"] < 1e-3


@pytest.mark.skipif(not shutil.which("compute-sanitizer"), reason="needs compute-sanitizer")
@pytest.mark.parametrize("tool", ["memcheck", "racecheck", "initcheck", "synccheck"])
def test_sanitizer(tool):
    tests = ["tests/test_conv2d.py", "tests/test_maxpool2d.py", "tests/test_dense.py"]
    command = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "9", sys.executable]
    command += ["-m", "pytest", "--backend", "cuda", "-x", *tests, "tests/test_device_training.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
