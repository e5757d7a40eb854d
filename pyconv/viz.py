"""Figures of a training; they need matplotlib (``pip install matplotlib``)."""

import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from pyconv import _targets

_MOST_MARKERS = 25  # epochs; above, the markers would hide the lines
_MOST_NUMBERS = 25  # classes; above, the numbers would not fit into their cells


def learning_curves(history: Mapping[str, Sequence[float]]) -> Any:
    """Return a figure of loss and accuracy by epoch.

    A dotted line marks the epoch with the least validation loss.

    Args:
        history: values of each epoch by name, as ``History.history`` has them.

    Raises:
        ImportError: matplotlib is not installed.

    Example:
        >>> import pyconv.viz
        >>> figure = pyconv.viz.learning_curves({"loss": [2.0, 1.5], "val_loss": [2.1, 1.8]})
        >>> [axes.get_title() for axes in figure.axes]
        ['loss', 'accuracy']
    """
    figure = _figure((10, 4))
    losses = np.asarray(history.get("val_loss", ()), float)
    best = None if np.isnan(losses).all() else int(np.nanargmin(losses)) + 1
    for i, name in enumerate(("loss", "accuracy")):
        axes = figure.add_subplot(1, 2, i + 1)
        # Told apart without colours too: by the marker and the dashes.
        curves = ((name, "training", "o--"), (f"val_{name}", "validation", "s-"))
        for key, label, style in curves:
            values = history.get(key, ())
            if len(values):
                epochs = range(1, len(values) + 1)
                shown = style if len(values) <= _MOST_MARKERS else style[1:]
                axes.plot(epochs, values, shown, markersize=5, label=label)
        if best is not None:
            axes.axvline(best, color="0.5", linestyle=":", label=f"best epoch ({best})")
        axes.set_title(name)
        axes.set_xlabel("epoch")
        axes.set_xlim(0.5, max(map(len, history.values()), default=1) + 0.5)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    return figure


def confusion_matrix(y_true: Any, y_pred: Any, class_names: Sequence[str]) -> Any:
    """Return a figure of how often each class was taken for each other.

    The colour of a cell is its share of the true class, the number in it a count of images.

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
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure = _figure((9, 8))
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    axes.set_title(f"accuracy {np.trace(table) / max(table.sum(), 1):.1%}")
    axes.set_xticks(range(count), class_names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(count), class_names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if count > _MOST_NUMBERS:
        return figure
    size = 10 if count <= 12 else 6
    for (i, j), number in np.ndenumerate(table):
        # Zeros step back, so that the mistakes are seen.
        colour = "white" if shares[i, j] > 0.5 else "black" if number else "0.75"
        axes.text(j, i, str(number), ha="center", va="center", color=colour, fontsize=size)
    return figure


def _figure(size: tuple[float, float]) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("figures need matplotlib: pip install matplotlib") from None
    figure = _shown_by_notebooks(Figure)(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@cache
def _shown_by_notebooks(base: Any) -> Any:
    """Return a class of figures that a notebook shows, also where pyplot was not imported."""

    def png(figure: Any) -> bytes:
        out = io.BytesIO()
        figure.savefig(out, format="png")
        return out.getvalue()

    return type("Figure", (base,), {"_repr_png_": png})
