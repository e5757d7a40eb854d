"""Figures of a training; they need matplotlib (``pip install 'pyconv[plot]'``)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyconv import _targets


def learning_curves(history: Mapping[str, Sequence[float]]) -> Any:
    """Return a figure of loss and accuracy by epoch.

    Args:
        history: values of each epoch by name, as ``History.history`` has them.

    Raises:
        ImportError: matplotlib is not installed.

    Example:
        >>> import pyconv.viz
        >>> figure = pyconv.viz.learning_curves({"loss": [2.0, 1.5], "val_loss": [2.1, 1.8]})
        >>> len(figure.axes[0].lines)
        2
    """
    figure = _figure((10, 4))
    for i, name in enumerate(("loss", "accuracy")):
        axes = figure.add_subplot(1, 2, i + 1)
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            if key in history:
                epochs = range(1, len(history[key]) + 1)
                axes.plot(epochs, history[key], marker="o", label=label)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    return figure


def confusion_matrix(y_true: Any, y_pred: Any, class_names: Sequence[str]) -> Any:
    """Return a figure of how often each class was taken for each other.

    Args:
        y_true: class numbers (N,) or (N, 1).
        y_pred: predicted class numbers, likewise.
        class_names: a name for each class.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: the classes are not numbers.
        ValueError: a number is not that of a class, or there are not as many of both.

    Example:
        >>> import pyconv.viz
        >>> figure = pyconv.viz.confusion_matrix([0, 1, 1], [0, 1, 0], ["cat", "dog"])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['1', '0', '1', '1']
    """
    count = len(class_names)
    true = _targets.class_numbers("confusion_matrix", y_true, (None, count), "y_true")
    predicted = _targets.class_numbers("confusion_matrix", y_pred, (len(true), count), "y_pred")
    table = np.zeros((count, count), np.int64)
    np.add.at(table, (true, predicted), 1)
    figure = _figure((8, 7))
    axes = figure.add_subplot()
    axes.imshow(table, cmap="Blues")
    axes.set_xticks(range(count), class_names, rotation=45, ha="right")
    axes.set_yticks(range(count), class_names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    dark = table.max() / 2
    for i in range(count):
        for j in range(count):
            colour = "white" if table[i, j] > dark else "black"
            axes.text(j, i, str(table[i, j]), ha="center", va="center", color=colour, fontsize=8)
    return figure


def _figure(size: tuple[float, float]) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            "figures need matplotlib: pip install 'pyconv[plot]', or pip install matplotlib"
        ) from None
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
