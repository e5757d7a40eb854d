"""Networks side by side: the numbers of a comparison, its table, its figure and its files."""

import json
import math
import os
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import pyconv
from pyconv import comparison, zoo
from pyconv.callbacks import Callback
from pyconv.comparison import Comparison, Entry, compare
from pyconv.datasets import Dataset, shapes10
from pyconv.layers import Dense, Flatten, Input


def shapes(train=120, test=40):
    (x, y), (x_test, y_test) = shapes10.load_data(n_train=train, n_test=test)
    return Dataset("shapes10", x, y[:, 0], x_test, y_test[:, 0], shapes10.CLASS_NAMES, "for tests")


def small(shape, classes):
    return pyconv.Sequential([Input(shape), Flatten(), Dense(classes, activation="softmax")])


def entry(name="CNN", **values):
    return Entry(name, small((2, 2, 1), 3), **values)


HISTORY = {
    "accuracy": [0.3, 0.5, 0.6],
    "loss": [2.0, 1.5, 1.2],
    "val_accuracy": [0.4, 0.55, 0.58],
    "val_loss": [1.8, 1.4, 1.5],
}


def check_figure(figure):
    """Fail where something leaves the picture, or a text of the table its cell."""
    plots = [axes for axes in figure.axes if axes.axison]
    assert len(plots) == 2
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    *_, legend, table = figure.axes
    for (_, column), cell in table.tables[0].get_celld().items():
        text, box = cell.get_text().get_window_extent(renderer), cell.get_window_extent(renderer)
        assert box.x0 <= text.x0, column
        assert text.x1 <= box.x1, column
    box = legend.get_legend().get_window_extent(renderer)
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
    assert not any(box.overlaps(axes.title.get_window_extent(renderer)) for axes in plots)


def test_split():
    data = shapes()
    (x, y), (x_valid, y_valid) = data.split()
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((108, 32, 32, 3), (108, 10), "f4", "f4")
    assert np.array_equal(np.concatenate([x_valid, x]) * np.float32(255), data.x_train)
    assert np.array_equal(np.concatenate([y_valid, y]).argmax(1), data.y_train)
    many = Dataset("m", np.zeros((50_000, 1, 1, 1), "u1"), np.zeros(50_000, "u1"), x, y, ("a",), "")
    assert [len(part[0]) for part in many.split()] == [45_000, 5000]
    with pytest.raises(ValueError, match="training needs at least 2 images, m has 1"):
        Dataset("m", x[:1], data.y_train[:1], x, y, ("a",), "").split()


def test_each_network_is_trained_as_it_would_be_alone(tmp_path):
    data = shapes()
    networks = {"MLP": small, "CNN": zoo.deck_cnn}
    result = compare(data, networks, 3, 16, "adam", seed=7, folder=tmp_path, verbose=0)
    training, validation = data.split()
    for name, network in networks.items():
        pyconv.utils.set_random_seed(7)
        model = network((32, 32, 3), 10)
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(*training, 16, 3, 0, validation_data=validation).history
        found = result[name]
        assert found.history == history
        assert found.best_epoch == 1 + int(np.argmin(history["val_loss"]))
        assert found.best("val_accuracy") == history["val_accuracy"][found.best_epoch - 1]
        assert found.parameters == model.count_params()
        assert len(found.seconds) == found.epochs == 3
        assert found.epoch_seconds > 0
        # The model has the best epoch's weights, those of the file.
        kept = pyconv.models.load_model(found.checkpoint)
        for got, wanted in zip(found.model.get_weights(), kept.get_weights(), strict=True):
            assert np.array_equal(got, wanted)
        loss = found.model.evaluate(*validation, verbose=0)[0]
        assert loss == pytest.approx(min(history["val_loss"]), rel=1e-5)
        right = kept.predict(data.x_test / np.float32(255), verbose=0).argmax(1) == data.y_test
        assert found.test_accuracy == right.mean()
        lines = (tmp_path / name.lower() / "history.csv").read_text().splitlines()
        assert len(lines) == 4
    assert not result.interrupted
    assert sorted(os.listdir(tmp_path)) == ["cnn", "mlp"]


def test_without_a_folder_no_file_is_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    result = compare(shapes(), {"A": small}, epochs=1)
    assert result["A"].checkpoint is None
    assert result["A"].test_accuracy is not None
    assert os.listdir(tmp_path) == []
    out = capsys.readouterr().out
    assert out.startswith("A: 30,730 parameters\n")
    assert "val_accuracy" in out


class Stop(Callback):
    """Is Ctrl-C in the second epoch of the second network."""

    runs = 0

    def on_train_begin(self, logs=None):
        Stop.runs += 1

    def on_epoch_begin(self, epoch, logs=None):
        if Stop.runs == 2 and epoch == 1:
            raise KeyboardInterrupt


def test_interrupted(tmp_path, monkeypatch):
    fit = pyconv.Sequential.fit

    def stopped(self, x, y, size, epochs, verbose, callbacks, **options):
        return fit(self, x, y, size, epochs, verbose, [*callbacks, Stop()], **options)

    monkeypatch.setattr(pyconv.Sequential, "fit", stopped)
    networks = dict.fromkeys("ABC", small)
    result = compare(shapes(), networks, 3, folder=tmp_path, verbose=0)
    assert result.interrupted
    assert [(e.name, e.epochs) for e in result.entries] == [("A", 3), ("B", 1)]
    assert all(e.test_accuracy is not None for e in result.entries)
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    assert sorted(os.listdir(tmp_path / "b")) == ["best.safetensors", "history.csv"]


def test_a_loss_that_is_never_a_number(tmp_path):
    optimizer = pyconv.optimizers.SGD(1e38)
    result = compare(shapes(), {"A": zoo.deck_cnn}, 1, 32, optimizer, folder=tmp_path, verbose=0)
    found = result["A"]
    assert math.isnan(found.history["val_loss"][0])
    assert (found.best_epoch, found.best("val_accuracy"), found.test_accuracy) == (None,) * 3
    assert sorted(os.listdir(tmp_path / "a")) == ["history.csv", "last.safetensors"]
    result.save_json(tmp_path / "all.json")
    written = json.loads((tmp_path / "all.json").read_text())
    assert written["networks"][0]["history"]["val_loss"] == [None]
    assert result.table().splitlines()[1].split()[-4:] == ["-"] * 4
    check_figure(result.figure())


def test_table_and_json(tmp_path):
    found = entry(history=HISTORY, seconds=[1.0, 2.0, 4.5], test_accuracy=0.525)
    result = Comparison("cifar10", 10, [entry("MLP"), found], {"epochs": 3}, interrupted=True)
    assert result.table() == (
        "network  parameters  s/epoch  best epoch  training  validation  test\n"
        "MLP      15          -        -           -         -           -\n"
        "CNN      15          2.5      2 of 3      0.5000    0.5500      0.5250"
    )
    assert result["MLP"].epochs == 0
    with pytest.raises(KeyError, match="RNN"):
        result["RNN"]
    result.save_json(tmp_path / "all.json")
    written = json.loads((tmp_path / "all.json").read_text())
    assert written == result.to_dict()
    assert (written["dataset"], written["interrupted"]) == ("cifar10", True)
    assert written["networks"][1] == {
        "name": "CNN",
        "parameters": 15,
        "epoch_seconds": 2.5,
        "best_epoch": 2,
        "accuracy": {"training": 0.5, "validation": 0.55, "test": 0.525},
        "seconds": [1.0, 2.0, 4.5],
        "history": HISTORY,
    }
    with pytest.raises(FileNotFoundError, match="save_json: there is no folder"):
        result.save_json(tmp_path / "nothing" / "all.json")


def test_a_notebook_s_table():
    result = Comparison("a<b", 3, [entry("<MLP>"), entry(history=HISTORY, test_accuracy=0.5)])
    table = ET.fromstring(result._repr_html_())
    rows = [[cell.text for cell in row] for row in table.iter("tr")]
    assert rows[0][:5] == ["network", "parameters", "s/epoch", "best epoch", "training accuracy"]
    assert rows[1] == ["<MLP>", "15", "-", "-", "-", "-", "-"]
    assert rows[2] == ["CNN", "15", "-", "2 of 3", "0.5000", "0.5500", "0.5000"]
    caption = table.find("caption")
    assert (caption[0].text, caption[0].tail) == ("a<b", ": 2 networks")


def test_figure():
    found = entry(history=HISTORY, test_accuracy=0.525)
    other = entry("MLP", history={k: [v + 0.1 for v in row] for k, row in HISTORY.items()})
    figure = Comparison("cifar10", 10, [other, found]).figure()
    assert figure.get_suptitle() == "MLP vs CNN on CIFAR-10: test accuracy CNN 52.5%"
    plots = [axes for axes in figure.axes if axes.axison]
    for axes, metric in zip(plots, ("accuracy", "loss"), strict=True):
        assert axes.get_title() == metric
        lines = {line.get_label(): line for line in axes.lines}
        for what, key in (("training", metric), ("validation", f"val_{metric}")):
            assert list(lines[f"CNN, {what}"].get_ydata()) == HISTORY[key]
            colour = lines[f"CNN, {what}"].get_color()
            assert colour != lines[f"MLP, {what}"].get_color()
        (best,) = (n for n in axes.lines if n.get_marker() == "*" and n.get_color() == colour)
        assert (list(best.get_xdata()), list(best.get_ydata())) == ([2], [HISTORY[key][1]])
    guessing = next(line for line in plots[0].lines if line.get_label() == "guessing (10%)")
    assert list(guessing.get_ydata()) == [0.1, 0.1]
    check_figure(figure)


@pytest.mark.parametrize("epochs", [0, 1, 100])
@pytest.mark.parametrize("networks", [1, 2, 5])
def test_figures_of_few_and_many(epochs, networks):
    names = ["MLP", "CNN", "CNN with dropout", "ResNet-20", "GoogLeNet"]
    history = {key: list(np.linspace(0.9, 0.1, epochs)) for key in HISTORY} if epochs else {}
    result = Comparison("mine", 3, [entry(name, history=history) for name in names[:networks]])
    figure = result.figure()
    titles = ["MLP on mine", "MLP vs CNN on mine", "5 networks on mine"]
    assert figure.get_suptitle() == titles[networks // 2]
    check_figure(figure)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"data": (1, 2)}, TypeError, "data must be a Dataset, .* got a tuple"),
        ({"networks": [small]}, TypeError, "networks must be a dict of functions by name, got a"),
        ({"networks": {}}, ValueError, "networks must name at least one network"),
        (
            {"networks": {"a/b": small}},
            ValueError,
            "can name a folder, got 'a/b'",
        ),
        (
            {"networks": {1: small}},
            ValueError,
            "can name a folder, got 1",
        ),
        (
            {"networks": {"..": small}},
            ValueError,
            r"can name a folder, got '\.\.'",
        ),
        (
            {"networks": {"A": small, "a": small}},
            ValueError,
            "differ in more than capitals",
        ),
        (
            {"networks": {"A": small((2, 2, 1), 3)}},
            TypeError,
            r"networks\['A'\] must be a function of an input shape .* got a Sequential",
        ),
        ({"networks": {"A": lambda *a: 1}}, TypeError, r"networks\['A'\] must return"),
        ({"epochs": 0}, ValueError, "epochs must be a positive"),
        ({"batch_size": 1.5}, TypeError, "batch_size must be an integer"),
        ({"seed": -1}, ValueError, "seed must be from 0"),
        ({"optimizer": None}, TypeError, "optimizer must be a name or an Optimizer, got None"),
        ({"verbose": 3}, ValueError, "verbose must be"),
        ({"folder": 3}, TypeError, "folder must be"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    with pytest.raises(error, match=f"compare: .*{text}"):
        compare(**{"data": shapes(20, 10), "networks": {"A": small}, **arguments})


def test_the_courses_networks_are_the_default():
    assert {"MLP": zoo.deck_mlp, "CNN": zoo.deck_cnn} == comparison.run.NETWORKS
