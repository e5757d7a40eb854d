"""Figures: what they show, and the error without matplotlib."""

import sys

import numpy as np
import pytest

from pyconv import viz

HISTORY = {
    "loss": [2.0, 1.5, 1.25],
    "val_loss": [2.5, 2.0, 1.75],
    "accuracy": [0.25, 0.5, 0.5],
    "other": [1.0],
}


def test_learning_curves(tmp_path):
    figure = viz.learning_curves(HISTORY)
    loss, accuracy = figure.axes
    assert [list(line.get_ydata()) for line in loss.lines] == [HISTORY["loss"], HISTORY["val_loss"]]
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    assert [list(line.get_xdata()) for line in accuracy.lines] == [[1, 2, 3]]
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "loss")
    figure.savefig(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert not viz.learning_curves({}).axes[0].lines


def test_confusion_matrix(tmp_path):
    figure = viz.confusion_matrix(np.array([0, 0, 1, 2]), np.array([[0], [1], [1], [2]]), "abc")
    (axes,) = figure.axes
    table = np.array([int(text.get_text()) for text in axes.texts]).reshape(3, 3)
    assert table.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert [text.get_position() for text in axes.texts][:3] == [(0, 0), (1, 0), (2, 0)]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    figure.savefig(tmp_path / "matrix.png")
    assert (tmp_path / "matrix.png").stat().st_size > 1000


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


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'pyconv\[plot\]'"):
        viz.learning_curves(HISTORY)
