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


def test_the_comparison_is_written_from_a_run():
    spec = importlib.util.spec_from_file_location("compare", ROOT / "benchmarks" / "compare.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = script.block(PRINTED, 47.3, 2)
    assert text.startswith(
        "On CIFAR-10 (47 s, 2 threads):\n\n```text\nnetwork  parameters  test\nMLP"
    )
    assert text.endswith("0.7\n```")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{script.BEGIN}\nOn CIFAR-10 (" in readme
    changed = script.rewritten(readme, text)
    assert text in changed
    assert "```text\nnetwork  parameters  s/epoch" in readme
    assert "s/epoch" not in changed
    assert (ROOT / "docs" / "mlp_vs_cnn.png").exists()
    with pytest.raises(SystemExit, match="lacks the lines"):
        script.rewritten("# a readme without marks", text)
