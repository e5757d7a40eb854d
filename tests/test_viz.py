"""The figures: what they show, that nothing of it is cut off, and their errors."""

import itertools
import sys

import numpy as np
import pytest
from PIL import Image

import pyconv
from pyconv import viz
from pyconv.datasets import cifar10

HISTORY = {
    "loss": [2.0, 1.5, 1.2],
    "val_loss": [1.8, 1.4, 1.5],
    "accuracy": [0.3, 0.5, 0.6],
    "val_accuracy": [0.4, 0.55, 0.5],
}


def check_all_is_inside(figure):
    """Fail where something leaves the picture or two labels of an axis overlap."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    box = figure.get_tightbbox(renderer)
    width, height = figure.get_size_inches()
    assert 0 <= box.x0 < box.x1 <= width
    assert 0 <= box.y0 < box.y1 <= height
    for axes in figure.axes:
        low, high = sorted(axes.get_ylim())
        labels = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
        boxes = [text.get_window_extent(renderer) for y, text in labels if low <= y <= high]
        assert boxes
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_learning_curves():
    figure = viz.learning_curves(HISTORY)
    for axes, name in zip(figure.axes, ("loss", "accuracy"), strict=True):
        assert axes.get_title() == name
        training, validation, best = axes.lines
        assert list(training.get_ydata()) == HISTORY[name]
        assert list(validation.get_ydata()) == HISTORY[f"val_{name}"]
        assert list(training.get_xdata()) == [1, 2, 3]
        assert set(best.get_xdata()) == {2}  # the least validation loss
        labels = [text.get_text() for text in axes.get_legend().get_texts()]
        assert labels == ["training", "validation", "best epoch (2)"]
        # Told apart by colour, and without colours.
        assert training.get_color() != validation.get_color()
        assert training.get_linestyle() != validation.get_linestyle()
    check_all_is_inside(figure)


@pytest.mark.parametrize("epochs", [1, 2, 100])
def test_learning_curves_of_few_and_many_epochs(epochs):
    figure = viz.learning_curves({key: np.linspace(0.9, 0.1, epochs) for key in HISTORY})
    check_all_is_inside(figure)
    for axes in figure.axes:
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert ticks == [round(tick) for tick in ticks]
        markers = {line.get_marker() for line in axes.lines[:2]}
        assert markers == ({"None"} if epochs == 100 else {"o", "s"})


def test_learning_curves_of_a_training_that_diverged():
    figure = viz.learning_curves({key: [np.nan, np.nan] for key in HISTORY})
    assert [len(axes.lines) for axes in figure.axes] == [2, 2]
    check_all_is_inside(figure)


def test_learning_curves_without_validation():
    figure = viz.learning_curves({"loss": [2.0, 1.0], "other": [1.0]})
    assert [len(axes.lines) for axes in figure.axes] == [1, 0]
    assert not viz.learning_curves({}).axes[0].lines


def test_confusion_matrix():
    true = np.array([0] * 8 + [1] * 2, np.uint8)
    predicted = np.array([0] * 6 + [1] * 2 + [2, 1])
    figure = viz.confusion_matrix(true[:, np.newaxis], predicted, ["cat", "dog", "bird"])
    axes = figure.axes[0]
    table = [[6, 2, 0], [0, 1, 1], [0, 0, 0]]
    assert [text.get_text() for text in axes.texts] == [str(n) for row in table for n in row]
    assert [text.get_position() for text in axes.texts][:3] == [(0, 0), (1, 0), (2, 0)]
    shares = [[0.75, 0.25, 0], [0, 0.5, 0.5], [0, 0, 0]]
    np.testing.assert_array_equal(axes.images[0].get_array(), shares)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cat", "dog", "bird"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert axes.get_title() == "accuracy 70.0%"
    check_all_is_inside(figure)


@pytest.mark.parametrize(
    "names", [cifar10.CLASS_NAMES, [f"quite a long name {i}" for i in range(25)]]
)
def test_confusion_matrix_of_many_images(names):
    rng = np.random.default_rng(0)
    true = rng.integers(0, len(names), 100000)
    figure = viz.confusion_matrix(true, rng.permutation(true), names)
    check_all_is_inside(figure)
    axes = figure.axes[0]
    renderer = figure.canvas.get_renderer()
    cell = axes.get_window_extent(renderer).width / len(names)
    assert len(axes.texts) == len(names) ** 2
    assert max(text.get_window_extent(renderer).width for text in axes.texts) < cell


def test_confusion_matrix_of_a_hundred_classes_has_no_numbers():
    classes = np.arange(100)
    figure = viz.confusion_matrix(classes, classes, [str(i) for i in classes])
    assert not figure.axes[0].texts


@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "text"),
    [
        ([0, 3], [0, 1], ValueError, "y_true must hold class numbers from 0 to 2, got 3 at row 1"),
        ([0, 1], [-1, 1], ValueError, "y_pred must hold class numbers from 0 to 2, got -1"),
        ([0, 1], [0], ValueError, r"y_pred must hold one class number a row, shape \(2,\)"),
        (["a"], [0], TypeError, "y_true must be an array of numbers"),
    ],
)
def test_wrong_classes(y_true, y_pred, error, text):
    with pytest.raises(error, match=f"confusion_matrix: {text}"):
        viz.confusion_matrix(y_true, y_pred, "abc")


def test_a_notebook_shows_figures():
    assert viz.learning_curves(HISTORY)._repr_png_().startswith(b"\x89PNG")


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="figures need matplotlib: pip install matplotlib"):
        viz.learning_curves(HISTORY)


def test_learning_curves_of_what_fit_returned():
    model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["acc"])
    history = model.fit(np.eye(2), [0, 1], epochs=3, verbose=0)
    loss, accuracy = viz.learning_curves(history).axes
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), history.history["loss"])
    np.testing.assert_array_equal(accuracy.lines[0].get_ydata(), history.history["acc"])
    with pytest.raises(TypeError, match="learning_curves: history must be what fit returned"):
        viz.learning_curves([1, 2])


IMAGES = {
    "grey": np.arange(0, 240, 2, np.uint8).reshape(8, 15),
    "a channel": np.arange(0, 240, 2, np.uint8).reshape(8, 15, 1),
    "colours": np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8),
}


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("matplotlib", [True, False])
def test_imshow(name, matplotlib, tmp_path, monkeypatch, capsys):
    image = IMAGES[name]
    monkeypatch.chdir(tmp_path)
    if matplotlib:
        figure = viz.imshow("Gaussian Blurring", image, path="out.png")
        axes = figure.axes[0]
        assert axes.get_title() == "Gaussian Blurring"
        shown = axes.images[0].get_array()
        assert (tmp_path / "out.png").stat().st_size > 0
        check_all_is_inside(figure)
        check_all_is_inside(viz.imshow("a long title, " * 12, image))
    else:
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        path = viz.imshow("Gaussian Blurring: 7/7", image)
        assert path == str(tmp_path / "Gaussian Blurring_ 7_7.png")
        assert path in capsys.readouterr().out
        shown = np.asarray(Image.open(path)) / 255
        assert viz.imshow("x", image, path="y.png") == str(tmp_path / "y.png")
    assert np.allclose(np.asarray(shown) * 255, image.reshape(shown.shape), atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (
            (np.zeros((4, 4)), "Averaging"),
            TypeError,
            "title must be a string and comes first, got ndarray",
        ),
        (("t", np.zeros((2, 4, 4, 3))), ValueError, "image_grid shows several"),
        (("t", np.zeros((4, 4, 2))), ValueError, r"image must be \(H, W\)"),
        (("t", "cat"), TypeError, "image"),
    ],
)
def test_imshow_wrong_arguments(arguments, error, text):
    with pytest.raises(error, match=f"imshow: .*{text}"):
        viz.imshow(*arguments)
