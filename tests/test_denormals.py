"""Numbers below the smallest normal float: 0 within operations, and left alone outside of them."""

import numpy as np
import pytest

import pyconv
from pyconv import backend

TINY = np.float32(1e-40)

pytestmark = pytest.mark.skipif(backend.active is not backend.cpu, reason="of the CPU alone")


@pytest.fixture(params=[1, 2])
def _threads(request):
    before = pyconv.get_num_threads()
    pyconv.set_num_threads(request.param)
    yield
    pyconv.set_num_threads(before)


@pytest.mark.usefixtures("_threads")
def test_running_means_of_an_optimizer_end_at_zero():
    """0.9 times the smallest number is rounded to itself, and each takes hundreds of cycles."""
    size = 1 << 18  # for all threads
    w, velocity = np.ones(size, np.float32), np.full(size, 1e-36, np.float32)
    zeros = np.zeros(size, np.float32)
    for _ in range(100):
        backend.cpu.rmsprop_update([w], [zeros], [velocity], None, None, 0.001)
    assert not velocity.any()


@pytest.mark.usefixtures("_threads")
def test_operands_and_results():
    x = np.full((256, 64), TINY)
    w = np.full((64, 32), 1e30, np.float32)
    assert not backend.cpu.dense_forward(x, w, None, "linear").any()
    small = np.full((256, 64), 1e-20, np.float32)
    assert not backend.cpu.dense_forward(small, small[:64, :32].copy(), None, "linear").any()


def test_recorded_operations_do_so_too():
    w, velocity = np.ones(64, np.float32), np.full(64, TINY)
    graph = backend.cpu.Graph()
    graph.begin()
    backend.cpu.rmsprop_update([w], [np.zeros(64, np.float32)], [velocity], None, None, 0.001)
    graph.end()
    graph.launch()
    assert not velocity.any()


def test_python_keeps_its_own():
    backend.cpu.relu_forward(np.ones((4, 4), np.float32))
    assert np.float32(TINY * np.float32(0.5)) > 0
    assert float(TINY) * 2**-900 > 0  # a denormal of double precision
