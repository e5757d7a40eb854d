"""The course's notebooks: the same code in both languages, and each runs from top to bottom."""

import os
import re
import subprocess
import sys
from pathlib import Path

import cli_helpers
import pytest
from test_compat_deck import write_cifar10

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NAMES = ("Cifar10_cnn_full", "convolucao", "filtro_media", "mlp_vs_cnn")
PRINTED = {
    "Cifar10_cnn_full": ["x_train shape: (180, 32, 32, 3)", "Total params: 528,054", "Test accura"],
    "convolucao": [
        "row 0, column 0: max(1, 3, 2, 9) = 9",
        "(5*5*3)*6 + 6 = 456",
        "0*1 + 0*0 + 1*1 = 4",
        "[[4. 3. 4.]\n [2. 4. 3.]\n [2. 3. 4.]]",
        "14,455,392",
    ],
    "filtro_media": ["3x3 -\n5x5 -\n", "with_pyconv\n3x3 ok\n5x5 ok\n"],
    "mlp_vs_cnn": ["network  parameters", "MLP      3,590,642", "automobile ", "CNN 0."],
}


def cells(language, name):
    """Return the kind, 'code' or 'markdown', and the text of each cell."""
    text = (FOLDER / language / f"{name}.py").read_text(encoding="utf-8")
    head, *rest = re.split(r"^# %%(.*)\n", text, flags=re.M)
    assert head.startswith("# ---\n# jupyter:\n")
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return [("markdown" if kind else "code", body.strip()) for kind, body in pairs]


def test_all_are_there():
    for language in ("en", "pt"):
        found = sorted(path.name for path in (FOLDER / language).iterdir())
        assert [name.removesuffix(".py") for name in found] == list(NAMES)
        readme = (FOLDER / "README.md").read_text(encoding="utf-8")
        assert all(f"({language}/{name})" in readme for name in found)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_code_in_both_languages(name):
    english, portuguese = cells("en", name), cells("pt", name)
    assert [kind for kind, _ in english] == [kind for kind, _ in portuguese]
    for (kind, ours), (_, theirs) in zip(english, portuguese, strict=True):
        if kind == "code":
            assert ours == theirs
            assert "#" not in ours  # prose is translated: it has cells of its own
        else:
            assert ours != theirs
            assert all(line.startswith("#") for line in [*ours.split("\n"), *theirs.split("\n")])
            # Headings and formulas say the same, though in other words.
            for pattern in (r"^# #+ ", r"^# \d\. ", r"^# \|"):
                counts = [len(re.findall(pattern, text, re.M)) for text in (ours, theirs)]
                assert counts[0] == counts[1]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Embedded images as CIFAR-10, so few that a training takes a second."""
    folder = tmp_path_factory.mktemp("data") / "cifar-10-batches-bin"
    write_cifar10(folder, 40)
    return folder


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "pt"])
def test_runs_from_top_to_bottom(language, name, data, tmp_path):
    done = subprocess.run(
        [sys.executable, str(FOLDER / language / f"{name}.py")],
        cwd=tmp_path,
        env=cli_helpers.environment(
            tmp_path, PYCONV_DATA=str(data), MPLBACKEND="Agg", PYTHONIOENCODING="utf-8"
        ),
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert all(text in done.stdout for text in PRINTED[name])
    wanted = {"model.weights.best.hdf5"} if name == "Cifar10_cnn_full" else set()
    assert {file for file in os.listdir(tmp_path) if not file.startswith(".")} == wanted


@pytest.mark.parametrize(
    ("answer", "printed"),
    [
        ("image[size // 2 : -(size // 2), size // 2 : -(size // 2)]", None),
        ("with_windows(image, size)", "3x3 ok\n5x5 ok\n"),
    ],
)
def test_the_exercise_is_corrected(answer, printed, tmp_path):
    """A wrong answer is an error, the right one is ok."""
    text = (FOLDER / "pt" / "filtro_media.py").read_text(encoding="utf-8")
    before, _, after = text.partition("    return None\n")
    loops = after.index("# %% [markdown]\n# ## Respostas")
    with_windows = after[after.index("def with_windows") : after.index("def with_pyconv")]
    program = f"{before}    return {answer}\n\n\n{with_windows}{after[:loops]}"
    (tmp_path / "exercise.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "exercise.py"],
        cwd=tmp_path,
        env=cli_helpers.environment(tmp_path, MPLBACKEND="Agg", PYTHONIOENCODING="utf-8"),
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode == 0) == (printed is not None)
    if printed:
        assert done.stdout.endswith(printed)
    else:
        assert "AssertionError" in done.stderr
