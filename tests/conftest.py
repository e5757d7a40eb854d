"""What all tests share."""

import pytest

from pyconv import backend


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
