"""The README's examples run as they stand."""

import doctest
import importlib.util
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PRINTED = """shapes10: made
epoch 5 of 5

network  parameters  test
MLP      3,590,642   0.4
CNN      528,054     0.7

Accuracies at the best epoch.
"""


def test_examples():
    path = ROOT / "README.md"
    results = doctest.testfile(str(path), module_relative=False)
    assert results.attempted > 5
    assert results.failed == 0


def script(name, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_comparison_is_written_from_a_run(monkeypatch):
    compare, readme = script("compare", monkeypatch), script("readme", monkeypatch)
    text = compare.block(PRINTED, 47.3, 2)
    assert text.startswith(
        "On CIFAR-10 (47 s, 2 threads):\n\n```text\nnetwork  parameters  test\nMLP"
    )
    assert text.endswith("0.7\n```")
    before = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{compare.MARKS[0]}\nOn CIFAR-10 (" in before
    changed = readme.rewritten(before, compare.MARKS, text)
    assert text in changed
    assert "```text\nnetwork  parameters  s/epoch" in before
    assert "s/epoch" not in changed
    assert (ROOT / "docs" / "mlp_vs_cnn.png").exists()
    with pytest.raises(SystemExit, match="lacks the lines"):
        readme.rewritten("# a readme without marks", compare.MARKS, text)


def test_the_profile_is_written_from_a_run(monkeypatch):
    profile, readme = script("profile_step", monkeypatch), script("readme", monkeypatch)
    text = profile.block("a table\n\nProfile of x  \n parts\n\n A step\n")
    assert text == "\n```text\nProfile of x\n parts\n\n A step\n```\n"
    before = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{profile.MARKS[0]}\n\n```text\nProfile of" in before
    assert text in readme.rewritten(before, profile.MARKS, text)
