"""The choice of the device, and why CUDA cannot be used, on a machine that has none."""

import os
import subprocess
import sys
import tempfile
import types
import warnings

import numpy as np
import pytest

import pyconv
from pyconv import _devices, backend

pytestmark = pytest.mark.cpu

RUNTIME = 13000
# what CUDA's runtime answers: status, number of devices, version of the driver
ANSWERS = {
    "no driver": (("cudaErrorInsufficientDriver", 0, 0), "no NVIDIA driver.*CUDA 13 or later"),
    "driver too old": (
        ("cudaErrorInsufficientDriver", 0, 12040),
        "driver is too old: it is for CUDA 12.4.*needs 13 or later",
    ),
    "no device": (("cudaErrorNoDevice", 0, 13000), "driver finds no GPU"),
    "hidden": (("cudaSuccess", 0, 13000), "driver finds no GPU.*CUDA_VISIBLE_DEVICES is ''"),
    "another": (("cudaErrorUnknown", 0, 13000), "CUDA does not start.*cudaErrorUnknown"),
}


@pytest.fixture(autouse=True)
def _cpu_again():
    yield
    pyconv.set_device("cpu")
    pyconv.set_float32_precision("highest")


@pytest.fixture
def cuda(monkeypatch):
    """Return a function that puts a module with this answer in place of the CUDA module."""

    def put(status, count, driver):
        module = types.ModuleType("pyconv._cuda")
        module.probe = lambda: (status, count, driver, RUNTIME)
        monkeypatch.setitem(sys.modules, "pyconv._cuda", module)
        return module

    return put


def without_module(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyconv._cuda", None)  # importing it fails


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_missing_is_said(name, cuda, monkeypatch):
    answer, text = ANSWERS[name]
    cuda(*answer)
    if name == "hidden":
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(ValueError, match=f"^set_device: .*{text}"):
        pyconv.set_device("cuda")
    assert pyconv.get_device() == "cpu"
    assert [device.name for device in pyconv.devices()] == ["cpu"]


def test_not_built(monkeypatch):
    without_module(monkeypatch)
    text = "^device: CUDA is not built.*PYCONV_CUDA=ON pip install"
    with pytest.raises(ValueError, match=text), pyconv.device("cuda:1"):
        pass
    assert "not built" in _devices.why_no_cuda()


def test_a_module_that_does_not_load(monkeypatch):
    def fails(name):
        raise ImportError("libcudart.so.13: cannot open shared object file")

    monkeypatch.setattr(_devices, "import_module", fails)
    with pytest.raises(ValueError, match=r"^set_device: .*does not load: libcudart\.so\.13"):
        pyconv.set_device("cuda")
    assert [device.name for device in pyconv.devices()] == ["cpu"]


def test_messages_are_distinct(cuda, monkeypatch):
    texts = set()
    for answer, _ in list(ANSWERS.values())[:3]:
        cuda(*answer)
        texts.add(_devices.why_no_cuda())
    without_module(monkeypatch)
    texts.add(_devices.why_no_cuda())
    assert len(texts) == 4
    assert None not in texts


def test_auto_falls_back_and_says_so_once(monkeypatch):
    without_module(monkeypatch)
    monkeypatch.setattr(_devices, "_fell_back", False)
    with pytest.warns(UserWarning, match="^pyconv runs on the CPU: CUDA is not built"):
        pyconv.set_device("auto")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pyconv.set_device("auto")
    assert pyconv.get_device() == "cpu"


@pytest.mark.parametrize(
    ("device", "error", "text"),
    [
        ("gpu", ValueError, "must be 'auto', 'cpu', 'cuda' or 'cuda:1', got 'gpu'"),
        ("cuda:", ValueError, "got 'cuda:'"),
        ("cuda:-1", ValueError, "got 'cuda:-1'"),
        ("cuda:99999", ValueError, "got 'cuda:99999'"),
        ("cpu:0", ValueError, "got 'cpu:0'"),
        (0, TypeError, "must be a string, got int"),
    ],
)
def test_wrong_devices(device, error, text):
    with pytest.raises(error, match=f"^set_device: .*{text}"):
        pyconv.set_device(device)


def test_device_that_is_not_there(cuda):
    cuda("cudaSuccess", 2, 13000)
    with pytest.raises(ValueError, match="there is no 'cuda:2', the last device is 'cuda:1'"):
        pyconv.set_device("cuda:2")


def test_nothing_of_cuda_is_imported_on_the_cpu():
    code = """if True:
        import sys
        import numpy as np, pyconv
        model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
        print([name for name in sys.modules if "cuda" in name or "device_arrays" in name])
    """
    assert _run(code) == "[]"


def test_environment():
    code = "import pyconv; print(pyconv.get_device())"
    assert _run(code, PYCONV_DEVICE="cpu") == "cpu"
    wrong = "import pyconv.backend"
    assert "ValueError: PYCONV_DEVICE: device must be" in _run(wrong, PYCONV_DEVICE="tpu")


def _run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tempfile.gettempdir(),  # not a folder of sources without the native module
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    return (done.stdout or done.stderr).strip().splitlines()[-1]


def test_precision():
    assert pyconv.get_float32_precision() == "highest"
    pyconv.set_float32_precision("high")
    assert pyconv.get_float32_precision() == "high"
    with pytest.raises(ValueError, match="precision must be 'highest' or 'high', got 'tf32'"):
        pyconv.set_float32_precision("tf32")
    with pytest.raises(TypeError, match="precision must be a string, got bool"):
        pyconv.set_float32_precision(True)
    assert pyconv.get_float32_precision() == "high"


def test_buffers_are_dropped_with_the_device():
    layer = pyconv.layers.ReLU()
    x = np.ones((2, 3), np.float32)
    first = layer.forward(x, False)
    assert layer.forward(x, False) is first
    backend.select(backend.cpu)
    assert layer.forward(x, False) is not first


def test_training_on_a_device_that_is_not_there(capsys, monkeypatch, tmp_path):
    from pyconv.cli import main

    without_module(monkeypatch)
    out = tmp_path / "run"
    assert main(["train", "--device", "cuda", "--out", str(out)]) == 1
    assert capsys.readouterr().err.startswith("pyconv train: --device: CUDA is not built")
    assert not out.exists()
