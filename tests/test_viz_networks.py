"""Pictures of images and of what is in a network: what is in them, and that all of it fits."""

import re
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import pyconv
from pyconv import layers, viz

RNG = np.random.default_rng(0)
LONG = "a name that is much too long for a picture of a layer or class <&>"


def inside(figure):
    """Fail where something leaves the picture."""
    figure.canvas.draw()
    box = figure.get_tightbbox(figure.canvas.get_renderer())
    width, height = figure.get_size_inches()
    assert -0.02 <= box.x0 < box.x1 <= width + 0.02
    assert -0.02 <= box.y0 < box.y1 <= height + 0.02


def network(count, channels, name="conv"):
    return pyconv.Sequential(
        [
            layers.Input((12, 12, channels)),
            layers.Conv2D(count, 5, activation="relu", name=name),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def test_image_grid(tmp_path):
    images = RNG.integers(0, 256, (36, 8, 8, 3), np.uint8)
    path = tmp_path / "grid.png"
    figure = viz.image_grid(images, 3, 12, labels=[LONG] * 36, path=path)
    assert path.read_bytes().startswith(b"\x89PNG")
    axes = figure.axes[0]
    np.testing.assert_array_equal(axes.images[5].get_array(), images[5] / 255)
    assert len({image.get_extent()[2] for image in axes.images}) == 3
    assert {text.get_text()[-1] for text in axes.texts} == {"\u2026"}
    inside(figure)
    assert len(viz.image_grid(images[..., 0], columns=5).axes[0].images) == 36


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 32, 70])
def test_filters_and_activations(count, channels):
    pyconv.utils.set_random_seed(1)
    model = network(count, channels, LONG[:60].replace(" ", "_"))
    image = np.random.default_rng(1).random((12, 12, channels), np.float32)
    figure = viz.filters(model.layers[0])
    assert len(figure.axes[0].images) == min(count, 64)
    inside(figure)
    figure = viz.activations(model, image)
    inside(figure)
    maps = figure.axes[2].images
    assert len(maps) == min(count, 64)
    wanted = model.layers[0](image[None])[0, :, :, len(maps) - 1]
    np.testing.assert_allclose(maps[-1].get_array(), wanted, rtol=1e-4, atol=1e-5)
    largest = model.layers[0](image[None])[..., :64].max()
    wanted = largest if largest > 0 else 1
    np.testing.assert_allclose(maps[0].get_clim()[1], wanted, rtol=1e-4)


def test_maps_of_zeros():
    figure = viz.activations(network(2, 1), np.zeros((12, 12, 1)))
    inside(figure)
    assert figure.axes[2].images[0].get_clim() == (0, 1)


def test_a_filter_s_colours():
    layer = layers.Conv2D(2, 1)
    layer.build((None, 4, 4, 3))
    layer.set_weights([np.array([[[[1, 0], [-2, 0], [0, 2]]]]), [0, 0]])
    first, second = viz.filters(layer).axes[0].images
    np.testing.assert_allclose(first.get_array()[0, 0], [0.75, 0, 0.5])
    np.testing.assert_allclose(second.get_array()[0, 0], [0.5, 0.5, 1])


def test_worst_mistakes():
    model = pyconv.Sequential([layers.Flatten(), layers.Dense(2, activation="softmax")])
    x = np.array([3.0, 1.0, -2.0, 4.0]).reshape(4, 1, 1, 1)
    model.build((None, 1, 1, 1))
    model.set_weights([[[1, -1]], [0, 0]])  # sure of class 0 where x is large
    for y in ([1, 1, 0, 0], np.eye(2)[[1, 1, 0, 0]]):
        figure = viz.worst_mistakes(model, x, y, ["cat", LONG], count=2)
        texts = [text.get_text().split("\n") for text in figure.axes[0].texts]
        assert [lines[:2] for lines in texts] == [["cat", "99.8%"], [LONG[:19] + "\u2026", "98.2%"]]
        assert figure.get_suptitle() == "3 of 4 are wrong"
        inside(figure)
    inside(viz.worst_mistakes(model, x, [0, 0, 1, 0], ["cat", "dog"]))


def texts_of(svg):
    return list(ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))


def test_network_diagram_of_a_deep_network(tmp_path):
    stack = [layers.Conv2D(8, 3, padding="same", name=f"{LONG} {i}") for i in range(19)]
    model = pyconv.Sequential([layers.Input((9, 9, 3)), *stack, layers.Flatten(name="flat")])
    svg = viz.network_diagram(model, path=tmp_path / "network.svg")
    assert (tmp_path / "network.svg").read_text() == svg == svg._repr_svg_()
    root = ET.fromstring(svg)
    width, height = int(root.get("width")), int(root.get("height"))
    words = [text.text for text in texts_of(svg)]
    assert words.count("584 parameters") == 18
    assert words[-2:] == ["648", "no parameters"]
    assert words.count("9 \u00d7 9 \u00d7 8") == 19
    # Lines of text of a box do not meet, whichever font: none is wider than 0.7 of its size a
    # letter.
    for left, right in zip(texts_of(svg)[1::2], texts_of(svg)[3::2], strict=False):
        assert 0 < int(left.get("x")) < width
        assert int(left.get("y")) < height
        if left.get("y") == right.get("y"):
            ends = int(left.get("x")) + 0.7 * int(left.get("font-size")) * len(left.text or "")
            assert ends < int(right.get("x")) - 0.7 * 13 * len(right.text or "")


def branched():
    inner = layers.Residual([layers.Conv2D(3, 3, padding="same")], activation="relu", name="inner")
    side = [layers.Conv2D(4, 1, name=LONG), layers.Dropout(0.2, name="drop")]
    first, second = layers.Dense(8, name="first"), layers.Dense(8, name="second")
    nodes = [(first, [0]), (second, [1]), (layers.Add(name="sum"), [1, 2])]
    return pyconv.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Branches([[inner], [], side], name="outer"),
            layers.Graph(nodes, name="graph"),
        ]
    )


def test_network_diagram_of_branches():
    root = ET.fromstring(viz.network_diagram(branched()))
    space = "{http://www.w3.org/2000/svg}"
    boxes = [
        [float(rect.get(key, 0)) for key in ("x", "y", "width", "height")]
        for rect in root.iter(f"{space}rect")
    ]
    width, height = boxes[0][2:]
    place = {text.text: text for text in root.iter(f"{space}text")}
    for x, y, wide, tall in boxes[1:]:
        assert 0 < x < x + wide < width
        assert 0 < y < y + tall < height
    for i, (x, y, wide, tall) in enumerate(boxes[1:]):
        for u, v, w, h in boxes[1:][:i]:
            apart = x >= u + w or u >= x + wide or y >= v + h or v >= y + tall
            within = u <= x and x + wide <= u + w and v <= y and y + tall <= v + h
            assert apart or within
    # The branches are side by side, the layers of one below each other.
    x, y = ({name: float(text.get(key)) for name, text in place.items()} for key in "xy")
    assert x["inner"] < x[f"{LONG[:39]}\u2026"] == x["drop"]
    assert y["inner"] == pytest.approx(y[f"{LONG[:39]}\u2026"], abs=2)
    assert y["drop"] > y["inner"]
    assert y["concatenate"] > max(y["drop"], y["add, relu"])
    assert x["inner"] < x["identity"] < width
    assert {"Add; takes first, second", "Dense, 8 units; takes the input"} <= set(place)


def test_a_model_that_is_not_built():
    model = pyconv.Sequential([layers.Dense(3, name="a<b"), layers.Dropout(0.5)], name="x&y")
    assert [text.text for text in texts_of(viz.network_diagram(model))][5:9] == [
        "a<b",
        "Dense, 3 units",
        None,
        "not built",
    ]
    text = model._repr_html_()
    assert "a&lt;b" in text
    assert "<b>x&amp;y</b>: not built yet" in text


def test_a_notebook_s_table():
    model = network(2, 3)
    table = ET.fromstring(model._repr_html_())
    rows = [[cell.text for cell in row] for row in table.iter("tr")]
    assert rows[0] == ["Layer", "Type", "Output", "Parameters"]
    assert rows[1] == ["conv", "Conv2D", "8 \u00d7 8 \u00d7 2", "152"]
    assert re.search(r"</b>: 251 parameters", model._repr_html_())


def test_pyplot_is_left_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    viz.image_grid(np.zeros((2, 4, 4)))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda p: viz.filters(layers.Dense(2)), TypeError, "filters: layer must be a Conv2D or"),
        (lambda p: viz.filters(layers.Conv2D(2, 2)), ValueError, "is not built"),
        (lambda p: viz.image_grid(np.zeros(3)), ValueError, r"must be \(N, H, W, C\)"),
        (lambda p: viz.image_grid(np.zeros((2, 4, 4)), labels="a"), ValueError, "each of 2 images"),
        (lambda p: viz.image_grid(np.zeros((2, 4, 4)), path=p / "a.x"), ValueError, "must end in"),
        (lambda p: viz.network_diagram(network(1, 1), p / "no" / "a.svg"), OSError, "no folder"),
        (lambda p: viz.activations(network(1, 1), np.zeros(3)), ValueError, "one image"),
        (
            lambda p: viz.activations(network(1, 1), np.zeros((12, 12, 1)), "cnv"),
            ValueError,
            "no layer named 'cnv'; did you mean 'conv'",
        ),
        (
            lambda p: viz.activations(network(1, 1), np.zeros((12, 12, 1)), -1),
            ValueError,
            "gives no images",
        ),
        (
            lambda p: viz.worst_mistakes(network(1, 1), np.zeros((1, 12, 12, 1)), [0], "ab"),
            ValueError,
            r"the model must give \(N, 2\)",
        ),
    ],
)
def test_errors(call, error, text, tmp_path):
    with pytest.raises(error, match=text):
        call(tmp_path)
    assert list(tmp_path.iterdir()) == []
