"""The slides' arithmetic as text: their numbers, terms that make the sums, and the limits."""

import re

import numpy as np
import pytest

import pyconv
from pyconv import layers

IMAGE = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
KERNEL = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
DIAGONAL = np.zeros((5, 5))
DIAGONAL[[1, 2, 3, 4], [4, 3, 2, 1]] = 1
BOX = np.zeros((10, 10))
BOX[2:7, 3:8] = 90
BOX[5, 4] = 0
BOX[8, 2] = 90


def conv(kernel, **options):
    kernel = np.array(kernel, "f4")
    layer = layers.Conv2D(1, kernel.shape, name="conv", **options)
    layer.build((None, 10, 10, 1))
    layer.set_weights([kernel[..., None, None], np.zeros(1)])
    return layer


def map_of(text):
    """Return the numbers of the map that is printed."""
    lines = text[text.index("result:") :].split("\n")[1:]
    return [[float(number) for number in line.split()] for line in lines]


CONVOLUTIONS = [
    (KERNEL, {}, IMAGE, [[4, 3, 4], [2, 4, 3], [2, 3, 4]], "(5 - 3 + 0)/1 + 1 = 3"),
    (KERNEL, {"strides": 2}, IMAGE, [[4, 4], [2, 4]], "(5 - 3 + 0)/2 + 1 = 2"),
    (
        KERNEL,
        {"padding": 1},
        IMAGE,
        [[2, 2, 3, 1, 1], [1, 4, 3, 4, 1], [1, 2, 4, 3, 3], [1, 2, 3, 4, 1], [0, 2, 2, 1, 1]],
        "(5 - 3 + 2)/1 + 1 = 5",
    ),
    (
        [[-1, -1, 1], [-1, 1, -1], [1, -1, -1]],
        {"activation": "relu"},
        DIAGONAL,
        [[0, 0, 0], [0, 0, 3], [0, 3, 0]],
        "D2 = K = 1",
    ),
    (
        np.full((5, 5), 1 / 25),
        {},
        BOX,
        [
            [21.6, 32.4, 43.2, 54, 43.2, 32.4],
            [25.2, 39.6, 54, 68.4, 54, 43.2],
            [32.4, 50.4, 68.4, 86.4, 68.4, 54],
            [25.2, 39.6, 54, 68.4, 54, 43.2],
            [21.6, 32.4, 43.2, 50.4, 39.6, 32.4],
            [14.4, 21.6, 28.8, 32.4, 25.2, 21.6],
        ],
        "(10 - 5 + 0)/1 + 1 = 6",
    ),
]


@pytest.mark.parametrize(("kernel", "options", "image", "wanted", "line"), CONVOLUTIONS)
def test_the_slides_convolutions(kernel, options, image, wanted, line, capsys):
    text = pyconv.explain(conv(kernel, **options), image, limit=100)
    assert capsys.readouterr().out == text + "\n"
    assert line in text
    assert map_of(text) == wanted
    # Each window's terms make its sum.
    windows = re.findall(r"row (\d+), column (\d+): (.*) = (\S+)(?: -> relu -> (\S+))?", text)
    assert len(windows) == np.size(wanted)
    for i, j, terms, total, activated in windows:
        assert sum(
            float(a) * float(b.strip("()")) for a, b in (t.split("*") for t in terms.split(" + "))
        ) == pytest.approx(float(total), rel=1e-4, abs=1e-4)
        assert float(activated or total) == wanted[int(i)][int(j)]


POOLED = [
    ([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]], [[6, 8], [3, 4]], [3.25, 5.25, 2]),
    ([[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]], [[9, 2], [6, 3]], [3.75, 1.25]),
]


@pytest.mark.parametrize(("image", "maxima", "means"), POOLED)
def test_the_slides_pooling(image, maxima, means):
    text = pyconv.explain(layers.MaxPooling2D(2), image)
    assert map_of(text) == maxima
    assert f"row 0, column 0: max({', '.join(map(str, image[0][:2] + image[1][:2]))})" in text
    assert np.ravel(map_of(pyconv.explain(layers.AveragePooling2D(2), image))).tolist()[
        : len(means)
    ] == pytest.approx(means)


def test_padding_is_left_out_of_a_pooling_and_rounded_down():
    text = pyconv.explain(layers.AveragePooling2D(2, padding="same"), np.full((3, 3), 6.0))
    assert "row 1, column 1: (6)/1 = 6" in text
    text = pyconv.explain(layers.MaxPooling2D(3, 2), np.ones((14, 14)))
    assert "W2 = (W1 - F + 2P)/S + 1 = floor((14 - 3 + 0)/2) + 1 = 6" in text
    assert "... and 27 more" in text


def test_several_filters_and_channels():
    layer = layers.Conv2D(4, (2, 3), groups=2, padding="same", dilation_rate=2, activation="tanh")
    x = np.random.default_rng(0).normal(size=(1, 6, 7, 4))
    text = pyconv.explain(layer, x, limit=400)
    y = layer(x)
    found = re.findall(r"filter (\d), row (\d), column (\d): .* -> tanh -> (\S+)", text)
    assert len(found) == y.size
    for k, i, j, value in found:
        assert float(value) == pytest.approx(y[0, int(i), int(j), int(k)], abs=1e-5)
    assert "parameters: (F*F*D1)*K + K = (2*3*2)*4 + 4 = 52" in text
    assert "W2 = (W1 - F + 2P)/S + 1 = (7 - 5 + 4)/1 + 1 = 7" in text


OTHERS = [
    (layers.Flatten(), np.arange(12).reshape(1, 2, 2, 3), "x[1, 0, 2] = 8 -> y[8]"),
    (layers.ReLU(), [-2.0, 3.0], "max(0, -2) = 0\nmax(0, 3) = 3"),
    (layers.Activation("sigmoid"), [0.0], "sigmoid(0) = 0.5"),
    (layers.Softmax(), [1.0, 1.0], "exp(1 - 1)/2 = 0.5\nexp(1 - 1)/2 = 0.5\nsum: 1"),
    (layers.Dense(2, kernel_initializer="ones"), [2.0, 3.0], "unit 1: 2*1 + 3*1 = 5"),
]


@pytest.mark.parametrize(("layer", "x", "wanted"), OTHERS, ids=lambda v: type(v).__name__)
def test_other_layers(layer, x, wanted):
    assert wanted in pyconv.explain(layer, x)


@pytest.mark.parametrize("shortcut", [None, [layers.Conv2D(2, 1, name="around")]])
def test_residual(shortcut):
    main = [layers.Conv2D(2, 3, padding="same", name="inner"), layers.BatchNormalization()]
    layer = layers.Residual(main, shortcut, activation="relu", name="block")
    x = np.random.default_rng(3).normal(size=(3, 4, 2)).astype("f4")
    text = pyconv.explain(layer, x, limit=24)
    result = layer(x[None])[0]
    around = x if shortcut is None else shortcut[0](x[None])[0]
    assert text.startswith("Residual 'block': 3x4x2 -> 3x4x2\ny = relu(f(x) + shortcut(x))\n")
    assert ("shortcut: x itself" in text) == (shortcut is None)
    found = re.findall(r"channel (.), row (.), column (.): (.*?) \+ (.*?) = .* -> (.*)", text)
    assert len(found) == 24
    for c, i, j, f, other, value in found:
        at = int(i), int(j), int(c)
        assert float(other.strip("()")) == pytest.approx(around[at], abs=1e-5)
        assert float(value) == pytest.approx(result[at], abs=1e-5)
        total = float(f.strip("()")) + float(other.strip("()"))
        assert max(total, 0) == pytest.approx(result[at], abs=1e-5)


def test_branches():
    paths = [[layers.Conv2D(1, 1)], [layers.Conv2D(2, 1), layers.Conv2D(6, 1, name="last")], []]
    text = pyconv.explain(layers.Branches(paths), np.ones((4, 4, 3)))
    assert "-> last (Conv2D) 4x4x6" in text
    assert "D2 = 1 + 6 + 3 = 10\nparameters: 4 + 26 + 0 = 30\nchannel 0 of the result: br" in text
    assert text.endswith("channels 7 to 9 of the result: branch 2")
    text = pyconv.explain(layers.Branches([[], [layers.ReLU()]], merge="add"), [-2.0, 3.0])
    assert text.endswith("unit 0: (-2) + 0 = -2\nunit 1: 3 + 3 = 6")


def test_a_notebook_shows_the_text_once(capsys):
    text = pyconv.explain(layers.Flatten(), np.zeros((1, 2, 2)))
    assert capsys.readouterr().out == f"{text}\n"
    assert text._ipython_display_() is None  # IPython's way to show a value, in place of its repr
    assert capsys.readouterr().out == ""


def test_large_layers_are_cut():
    text = pyconv.explain(layers.Dense(100), np.ones(1000), limit=3)
    assert text.count("unit ") == 3
    assert "+ ... 973 more" in text
    assert text.endswith("... and 97 more")


# The settings of the slides' summaries, and what they give.
SIZES = [
    (layers.Conv2D(6, 5), (32, 32, 3), 28, "D2 = K = 6", "(5*5*3)*6 + 6 = 456"),
    (layers.Conv2D(64, 3, padding=1), (32, 32, 3), 32, "D2 = K = 64", "(3*3*3)*64 + 64 = 1792"),
    (layers.Conv2D(32, 5, padding=2), (17, 17), 17, "D2 = K = 32", "(5*5*1)*32 + 32 = 832"),
    (layers.Conv2D(128, 1), [None, 8, 8, 3], 8, "D2 = K = 128", "(1*1*3)*128 + 128 = 512"),
    (layers.MaxPooling2D(2), (16, 16, 8), 8, "D2 = D1 = 8", "parameters: 0"),
    (layers.MaxPooling2D(3, 2), (13, 13, 8), 6, "D2 = D1 = 8", "parameters: 0"),
    (layers.AveragePooling2D(2), (5, 5, 8), 2, "D2 = D1 = 8", "parameters: 0"),
]


@pytest.mark.parametrize(("layer", "size", "out", "depth", "parameters"), SIZES)
def test_the_size_of_an_image_gives_the_formulas_alone(layer, size, out, depth, parameters):
    text = pyconv.explain(layer, size)
    *_, width, height, found, last = text.split("\n")
    assert width.startswith("W2 = (W1 - F + 2P)/S + 1 = ")
    assert width.endswith(f" = {out}")
    assert height.endswith(f" = {out}")
    assert found == depth
    assert last.endswith(parameters)
    image = np.zeros([n for n in size if n is not None])
    assert pyconv.explain(layer, image).startswith(text)


@pytest.mark.parametrize(
    ("layer", "x", "error", "text"),
    [
        (layers.BatchNormalization(), [1.0], TypeError, "layer must be one of Conv2D, .* got Batc"),
        ("conv", [1.0], TypeError, "layer must be one of"),
        (layers.ReLU(), "cat", TypeError, "x must be an array of real numbers"),
        (layers.ReLU(), 1.0, ValueError, "at least one sample"),
        (layers.Conv2D(1, 3), (8, 8, 1.5), TypeError, r"x\[2\] must be an integer"),
        (layers.Conv2D(1, 3), (8, 0, 1), ValueError, r"x\[1\] must be a positive"),
        (layers.MaxPooling2D(data_format="channels_first"), [[1]], ValueError, "channels first"),
    ],
)
def test_errors(layer, x, error, text):
    with pytest.raises(error, match=f"explain: .*{text}"):
        pyconv.explain(layer, x)
