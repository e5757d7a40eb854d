"""Patterns of layers: the course's, that of CS231n, and errors that point at a character."""

import pytest

from pyconv import zoo
from pyconv.zoo import from_pattern

COURSE = "[(CONV-RELU)*N-POOL?]*M-(FC-RELU)*K,SOFTMAX"
CS231N = "INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC"


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def activations(model):
    return [layer.activation.name for layer in model.layers if hasattr(layer, "activation")]


@pytest.mark.parametrize("pattern", [COURSE, CS231N, "[(CONV-RELU)*2-POOL]*3-(FC-RELU)*1-SOFTMAX"])
def test_the_course_s_pattern(pattern):
    model = from_pattern(pattern, counts={"N": 2, "M": 3, "K": 1})
    blocks = ["Conv2D", "Conv2D", "MaxPooling2D"] * 3
    assert kinds(model) == [*blocks, "Flatten", "Dense", "Dense"]
    assert activations(model) == ["relu"] * 7 + ["linear" if pattern == CS231N else "softmax"]
    assert [layer.filters for layer in model.layers if hasattr(layer, "filters")] == [
        16, 16, 32, 32, 64, 64,
    ]  # fmt: skip
    assert [layer.units for layer in model.layers[-2:]] == [500, 10]
    assert model.count_params() == 589_590


def test_the_course_s_network():
    pattern = "[CONV-RELU-POOL]*3-DO-(FC-RELU)*1-DO-SOFTMAX"
    model = from_pattern(pattern, kernel_size=2)
    assert kinds(model) == kinds(zoo.deck_cnn())
    assert activations(model) == activations(zoo.deck_cnn())
    assert model.count_params() == 528_054


def test_other_words_and_sizes():
    model = from_pattern(
        "conv → bn → relu - POOL, (FC-RELU) * 2 - DO - FC - SOFTMAX",
        (8, 8, 1),
        3,
        filters=5,
        kernel_size=(3, 1),
        pool_size=4,
        units=[7, 6],
        dropout=0.25,
    )
    assert kinds(model) == [
        "Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D", "Flatten", "Dense", "Dense",
        "Dropout", "Dense",
    ]  # fmt: skip
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [7, 6, 3]
    assert model.layers[0].kernel_size == (3, 1)
    assert model.layers[3].output_shape == (None, 2, 2, 5)
    assert model.layers[7].rate == 0.25
    # Three convolutions, as on the slide before the last layers, and a part that is left out.
    assert kinds(from_pattern("(CONV-RELU)*3-(FC)*0")) == ["Conv2D"] * 3


@pytest.mark.parametrize(
    ("pattern", "text", "at"),
    [
        ("", "a layer or a bracket was expected, got the end", 0),
        ("CONV*0", "there must be at least one layer", 0),
        ("CONV-", "a layer or a bracket was expected, got the end", 5),
        ("-CONV", "a layer or a bracket was expected, got '-'", 0),
        ("CONV-#", "a layer or a bracket was expected, got '#'", 5),
        ("(CONV", r"'\(' is never closed: '\)' is missing", 5),
        ("CONV)", r"'\)' closes nothing", 4),
        ("(CONV]", r"'\]' cannot close '\('", 5),
        ("CONV POOL", "'-' is missing between two parts", 5),
        ("CONV*", r"a number was expected after '\*'", 5),
        ("CONV*-2", r"a number was expected after '\*'", 5),
        ("CONV*N", r"a number must stand for 'N', .* counts=\{'N': 2\}", 5),
        ("CONVV-POOL", r"unknown word 'CONVV'; did you mean CONV\? known are INPUT", 0),
        ("CONV*2000", "there are more than 1000 layers", 5),
        ("((CONV*100)*100)", "there are more than 1000 layers", 12),
        ("CONV*" + "9" * 5000, "there are more than 1000 layers", 5),
        ("[CONV-POOL]*7", "does not fit into an input", 6),
        ("FC-CONV", "CONV needs images, and FC before it has made rows", 3),
        ("SOFTMAX-FC", "nothing may follow SOFTMAX, got FC", 8),
        ("CONV-INPUT", "INPUT must be the first word", 5),
    ],
)
def test_errors_point_at_the_character(pattern, text, at):
    with pytest.raises(ValueError, match=f"from_pattern: .*{text}") as caught:
        from_pattern(pattern)
    lines = str(caught.value).splitlines()
    assert lines[-1] == "  " + " " * at + "^"
    assert pattern.startswith(lines[-2].strip())


def test_a_long_pattern_is_shown_around_the_place():
    with pytest.raises(ValueError, match="unknown word 'X'") as caught:
        from_pattern("-".join(["CONV"] * 100 + ["X"]))
    *_, line, mark = str(caught.value).splitlines()
    assert line[mark.index("^")] == "X"
    assert len(line) < 90


def test_brackets_too_deep():
    with pytest.raises(ValueError, match="brackets lie more than 50 deep"):
        from_pattern("(" * 10_000)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"pattern": 3}, TypeError, "pattern must be a string, got a int"),
        ({"filters": []}, ValueError, "filters must hold at least one number"),
        ({"units": [3.5]}, TypeError, "units must be an integer"),
        ({"counts": {"N": -1}}, ValueError, r"counts\['N'\] must be from 0"),
        ({"classes": 0}, ValueError, "classes must be a positive"),
        ({"kernel_size": 0}, ValueError, "kernel_size must be a positive"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    with pytest.raises(error, match=text):
        from_pattern(**{"pattern": "CONV*N-FC-SOFTMAX", "counts": {"N": 1}, **arguments})
