"""The examples in docstrings run, and every public class and function has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import pyconv

MODULES = sorted(
    found.name
    for found in pkgutil.walk_packages(pyconv.__path__, "pyconv.")
    if found.name not in ("pyconv._cpu", "pyconv.__main__")
    # Each of these imports the library that it measures.
    and not found.name.startswith("pyconv.bench.peers.")
)
PUBLIC = [
    f"{name}.{attribute}"
    for name in MODULES
    if "._" not in name
    for attribute in getattr(importlib.import_module(name), "__all__", ())
    if inspect.isclass(found := getattr(importlib.import_module(name), attribute))
    or inspect.isfunction(found)
]


# A profile is of the CPU.
EXAMPLES = [
    pytest.param(name, marks=pytest.mark.cpu) if name == "pyconv.profiling" else name
    for name in ("pyconv", *MODULES)
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name):
    module = importlib.import_module(name)
    before = pyconv.get_num_threads()
    results = doctest.testmod(module)
    pyconv.set_num_threads(before)
    assert results.failed == 0


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_have_an_example(name):
    module, _, attribute = name.rpartition(".")
    found = getattr(importlib.import_module(module), attribute)
    assert ">>> " in (inspect.getdoc(found) or "")
