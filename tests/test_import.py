"""Parts of the library, imported by themselves."""

import inspect
import pathlib
import shutil
import subprocess
import sys

import pytest

import pyconv

ALONE = """
import importlib, os, sys
import numpy  # once, for all children

for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        importlib.import_module(name)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(name)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_each_part_may_be_the_first_that_is_imported():
    parts = [f"pyconv.{name}" for name in pyconv.__all__ if inspect.ismodule(getattr(pyconv, name))]
    assert {"pyconv.layers", "pyconv.regularizers"} < set(parts)
    parts += ["pyconv.compat", "pyconv.compat.keras", "pyconv.model", "pyconv.saving"]
    done = subprocess.run([sys.executable, "-c", ALONE, *parts], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_parts_are_found_by_their_names():
    script = "import pyconv; pyconv.zoo.deck_cnn(); pyconv.viz; pyconv.comparison.compare"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_source_folder_says_that_it_is_not_installed(tmp_path):
    package = pathlib.Path(pyconv.__file__).parent
    shutil.copytree(package, tmp_path / "pyconv", ignore=shutil.ignore_patterns("*.so", "*.pyd"))
    script = "import pyconv; pyconv.layers"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path
    )
    assert "ImportError: pyconv's native module is missing" in done.stderr
    assert "pip install ." in done.stderr


def test_a_model_needs_no_formats_of_files():
    script = "import pyconv, sys; pyconv.Sequential; print({'zipfile', 'socket'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


def test_the_core_imports_nothing_of_compat():
    """What pyconv.compat adds it registers with pyconv._extensions."""
    root = pathlib.Path(pyconv.__file__).parent
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path in root.rglob("*.py")
        if path.relative_to(root).parts[0] != "compat"
        for line in path.read_text().splitlines()
        if line.strip().startswith(("import pyconv.compat", "from pyconv.compat"))
        or line.strip().startswith("from pyconv import compat")
    ]
    assert found == []


def test_models_that_only_compat_has(tmp_path):
    script = """
import sys, pyconv
model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(1)])
for ending in ("keras", "h5", "safetensors"):
    model.save(f"{sys.argv[1]}/m.{ending}")
    pyconv.models.load_model(f"{sys.argv[1]}/m.{ending}")
assert not any(name.startswith("pyconv.compat") for name in sys.modules)
config = {"name": "two", "layers": [], "input_layers": [], "output_layers": []}
try:
    pyconv.Sequential.from_config(config)
except ValueError as error:
    assert "import pyconv.compat.keras, which has such models" in str(error), error
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
