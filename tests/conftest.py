"""What all tests share."""

import os
import signal

import pytest

from pyconv import backend


def pytest_configure(config):
    """Name the marks that tests use."""
    config.addinivalue_line("markers", "data: needs CIFAR-10, in both layouts, in PYCONV_DATA")


def pytest_collection_modifyitems(config, items):
    """Leave out what needs data that is not there."""
    data = os.environ.get("PYCONV_DATA", "")
    layouts = [os.path.join(data, f"cifar-10-batches-{layout}") for layout in ("bin", "py")]
    if not all(map(os.path.isdir, layouts)):
        without = [item for item in items if item.get_closest_marker("data")]
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]


# A shell starts what runs in its background with SIGINT ignored, which children inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=backend.active.available_isas())
def isa(request):
    """Runs a test on each instruction set of this CPU."""
    before = backend.active.isa()
    backend.active.set_isa(request.param)
    yield request.param
    backend.active.set_isa(before)


@pytest.fixture
def threads():
    """Gives back the number of threads after a test that changes it."""
    before = backend.active.get_num_threads()
    yield backend.active.set_num_threads
    backend.active.set_num_threads(before)
