"""The README's examples run as they stand."""

import doctest
import pathlib


def test_examples():
    path = pathlib.Path(__file__).parents[1] / "README.md"
    results = doctest.testfile(str(path), module_relative=False)
    assert results.attempted > 5
    assert results.failed == 0
