"""The table of summary: the form of Keras 3, and the numbers of the course."""

import numpy as np
import pytest

import pyconv
from pyconv import zoo
from pyconv._receptive import receptive_fields
from pyconv.layers import (
    Add,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Flatten,
    Graph,
    Input,
    MaxPooling2D,
    ReLU,
    Residual,
    SeparableConv2D,
)

CNN = """\
Model: "cnn"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┓
┃ Layer (type)                         ┃ Output Shape                ┃         Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━┩
│ conv2d (Conv2D)                      │ (None, 32, 32, 16)          │             208 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ max_pooling2d (MaxPooling2D)         │ (None, 16, 16, 16)          │               0 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ conv2d_1 (Conv2D)                    │ (None, 16, 16, 32)          │           2,080 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ max_pooling2d_1 (MaxPooling2D)       │ (None, 8, 8, 32)            │               0 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ conv2d_2 (Conv2D)                    │ (None, 8, 8, 64)            │           8,256 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ max_pooling2d_2 (MaxPooling2D)       │ (None, 4, 4, 64)            │               0 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ dropout (Dropout)                    │ (None, 4, 4, 64)            │               0 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ flatten (Flatten)                    │ (None, 1024)                │               0 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ dense (Dense)                        │ (None, 500)                 │         512,500 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ dropout_1 (Dropout)                  │ (None, 500)                 │               0 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ dense_1 (Dense)                      │ (None, 10)                  │           5,010 │
└──────────────────────────────────────┴─────────────────────────────┴─────────────────┘
 Total params: 528,054 (2.01 MB)
 Trainable params: 528,054 (2.01 MB)
 Non-trainable params: 0 (0.00 B)
"""


def text_of(model, **arguments):
    shown = []
    model.summary(print_fn=shown.append, **arguments)
    return "".join(shown)


def rows(text):
    return [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in text.splitlines()
        if line.startswith("│")
    ]


def plain(model, name):
    """The same layers as a fresh process would name them."""
    config = model.get_config()
    count = {}
    for layer in config["layers"]:
        base = layer["config"]["name"].rstrip("0123456789").rstrip("_")
        number = count.setdefault(base, 0)
        layer["config"]["name"] = f"{base}_{number}" if number else base
        count[base] += 1
    return pyconv.Sequential.from_config({**config, "name": name})


def test_the_network_of_the_course_exactly():
    assert text_of(plain(zoo.deck_cnn(), "cnn")) == CNN


def test_mlp():
    text = text_of(zoo.deck_mlp())
    assert [row[2] for row in rows(text)] == ["0", "3,073,000", "0", "512,512", "0", "5,130"]
    assert " Total params: 3,590,642 (13.70 MB)\n" in text
    assert " Trainable params: 3,590,642 (13.70 MB)\n" in text


def test_convolutions_alone():
    model = pyconv.Sequential([Input((32, 32, 3))])
    for filters in (16, 32, 64):
        model.add(Conv2D(filters, 2, padding="same", activation="relu"))
    text = text_of(model)
    assert [row[1:] for row in rows(text)] == [
        ["(None, 32, 32, 16)", "208"],
        ["(None, 32, 32, 32)", "2,080"],
        ["(None, 32, 32, 64)", "8,256"],
    ]
    assert " Total params: 10,544 (41.19 KB)\n" in text
    assert " Non-trainable params: 0 (0.00 B)\n" in text
    for _ in range(3):
        model.add(MaxPooling2D())
    assert " Total params: 10,544 (41.19 KB)\n" in text_of(model)


def test_it_prints(capsys):
    model = pyconv.Sequential([Input((3,)), Dense(2, name="d")], name="m")
    model.summary()
    assert capsys.readouterr().out.rstrip("\n") == text_of(model).rstrip("\n")


def test_in_a_notebook_too(capsys, monkeypatch):
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    zoo.deck_cnn().summary()
    out = capsys.readouterr().out
    assert out.startswith('Model: "')
    assert " Total params: 528,054 " in out


def test_an_unbuilt_model():
    text = text_of(pyconv.Sequential([Dense(3, name="d"), Flatten(name="f")]))
    assert rows(text) == [["d (Dense)", "?", "0 (unbuilt)"], ["f (Flatten)", "?", "0 (unbuilt)"]]
    assert " Total params: 0 (0.00 B)\n" in text


def test_frozen_layers():
    model = pyconv.Sequential([Input((3,)), Dense(2, name="a"), Dense(1, name="b"), Flatten()])
    model.get_layer("a").trainable = False
    text = text_of(model, show_trainable=True)
    assert [row[3] for row in rows(text)] == ["N", "Y", "-"]
    assert "Trainable  ┃" in text
    assert " Total params: 11 (44.00 B)\n" in text
    assert " Trainable params: 3 (12.00 B)\n" in text
    assert " Non-trainable params: 8 (32.00 B)\n" in text
    model.trainable = False
    assert [row[3] for row in rows(text_of(model, show_trainable=True))] == ["N", "N", "-"]


@pytest.mark.parametrize(
    ("optimizer", "numbers"),
    # iterations and the learning rate, and what is kept beside each of 8 parameters
    [("sgd", 2), ("rmsprop", 2 + 8), ("adam", 2 + 16)],
)
def test_optimizers_state(optimizer, numbers, tmp_path):
    model = pyconv.Sequential([Input((3,)), Dense(2)])
    model.compile(optimizer, "mse")
    assert "Optimizer" not in text_of(model)
    assert " Total params: 8 (32.00 B)\n" in text_of(model)
    model.train_on_batch(np.ones((1, 3)), np.ones((1, 2)))
    text = text_of(model)
    assert f" Total params: {8 + numbers} " in text
    assert f" Optimizer params: {numbers} ({4 * numbers}.00 B)\n" in text
    if optimizer != "sgd":
        model.save(tmp_path / "model")
        assert text_of(pyconv.models.load_model(tmp_path / "model")) == text


def test_widths():
    model = pyconv.Sequential([Input((3,)), Dense(2, name="d")])
    for width in (40, 60, 120):
        assert max(map(len, text_of(model, line_length=width).splitlines()[1:5])) == width
    relative = text_of(model, line_length=100, positions=[0.5, 0.75, 1.0])
    assert relative == text_of(model, line_length=100, positions=(50, 75, 100))
    assert relative != text_of(model, line_length=100)


def test_layer_range():
    model = zoo.deck_mlp()
    first, last = model.layers[1].name, model.layers[3].name
    names = [row[0].split(" ")[0] for row in rows(text_of(model, layer_range=[first, last]))]
    assert names == [layer.name for layer in model.layers[1:4]]
    assert rows(text_of(model, layer_range=(last, first))) == rows(
        text_of(model, layer_range=(first, last))
    )


@pytest.mark.parametrize("name", ["[red]x", "a" * 30, "é"])
def test_any_name_is_shown_as_it_is(name):
    text = text_of(pyconv.Sequential([Input((3,)), Dense(2, name=name)], name=name))
    assert text.startswith(f'Model: "{name}"\n')
    assert "".join(row[0] for row in rows(text)).replace(" ", "") == f"{name}(Dense)"


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"line_length": 10}, ValueError, "line_length must be from 40"),
        ({"line_length": "wide"}, TypeError, "line_length must be an integer"),
        ({"positions": [0.5, 1.0]}, ValueError, "positions must be 3 numbers"),
        ({"positions": 3}, ValueError, "positions must be 3 numbers, got 3"),
        ({"positions": [0.9, 0.5, 1.0]}, ValueError, "must leave 4 characters for each column"),
        ({"positions": [0.5, "x", 1.0]}, TypeError, r"positions\[1\] must be a number"),
        ({"positions": [0.5, 0.7, 99]}, ValueError, "must leave 4 characters"),
        ({"layer_range": ["d"]}, ValueError, "layer_range must be the names of two layers"),
        ({"layer_range": ["d", "e"]}, ValueError, r"of \['d'\], got \['d', 'e'\]"),
        ({"layer_range": 3}, ValueError, "layer_range must be the names"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    with pytest.raises(error, match=f"summary: .*{text}"):
        pyconv.Sequential([Dense(1, name="d")]).summary(**arguments)


def test_receptive_fields_of_the_course_s_networks():
    found = [row[3] for row in rows(text_of(zoo.deck_cnn(), show="receptive"))]
    assert found == ["2x2", "3x3", "5x5", "7x7", "11x11", "15x15", "15x15", "15x15", *["all"] * 3]
    row = rows(text_of(zoo.deck_cnn(), show="receptive", show_trainable=True))[0]
    assert row[1:] == ["(None, 32, 32, 16)", "208", "Y", "2x2"]
    with pytest.raises(ValueError, match="summary: show must be None or 'receptive', got 'field'"):
        zoo.deck_cnn().summary(show="field")


def test_receptive_fields_are_what_changes_a_result():
    ones = {"padding": "same", "kernel_initializer": "ones"}
    apart = SeparableConv2D(2, 3, strides=2)
    apart.build((None, 9, 9, 1))
    assert str(receptive_fields([apart, Conv2D(1, 3)])[id(apart)]) == "3x3"
    block = Residual(
        [Conv2D(1, (3, 5), strides=2, **ones), Conv2D(1, 3, **ones)], [Conv2D(1, 1, strides=2)]
    )
    stack = [Conv2D(1, 2, dilation_rate=2, **ones), MaxPooling2D(3, 2, "same"), block]
    graph = Graph([(Conv2D(1, 3, **ones), [0]), (ReLU(), [1]), (Add(), [0, 2])])
    model = pyconv.Sequential([Input((96, 96, 1)), *stack, Conv2DTranspose(1, 2), graph])
    fields = receptive_fields(model.layers)
    assert [str(fields[id(layer)]) for layer in model.layers[3:]] == ["?", "?"]
    model = pyconv.Sequential([Input((96, 96, 1)), *stack, graph])
    field = receptive_fields(model.layers)[id(graph)]
    # One image with ones in a row, and one in a column, for each row and column.
    images = np.zeros((2, 96, 96, 96, 1), np.float32)
    images[0, range(96), range(96)] = 1
    images[1, range(96), :, range(96)] = 1
    result = model.predict(images.reshape(-1, 96, 96, 1), verbose=0)
    seen = np.count_nonzero(result[:, 12, 12, 0].reshape(2, 96), axis=1)
    assert field.size == tuple(seen) == (25, 29)
