"""Loss and accuracy of a training by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyconv._args import shown
from pyconv.callbacks.history import History
from pyconv.viz._canvas import new_figure, written

_MOST_MARKERS = 25  # epochs; above, the markers would hide the lines


def learning_curves(history: Mapping[str, Sequence[float]] | History, path: Any = None) -> Any:
    """Return a figure of loss and accuracy by epoch.

    A dotted line marks the epoch with the least validation loss.

    Args:
        history: what ``fit`` returned, or values of each epoch by name.
        path: a file to write too, in the format of its ending.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: ``history`` is something else.

    Example:
        >>> import pyconv.viz
        >>> figure = pyconv.viz.learning_curves({"loss": [2.0, 1.5], "val_loss": [2.1, 1.8]})
        >>> [axes.get_title() for axes in figure.axes]
        ['loss', 'accuracy']
    """
    if isinstance(history, History):
        history = history.history
    if not isinstance(history, Mapping):
        raise TypeError(
            "learning_curves: history must be what fit returned, or a dict of lists, got "
            f"{shown(history)}"
        )
    figure = new_figure((10, 4))
    losses = np.asarray(history.get("val_loss", ()), float)
    best = None if np.isnan(losses).all() else int(np.nanargmin(losses)) + 1
    for i, name in enumerate(("loss", "accuracy")):
        axes = figure.add_subplot(1, 2, i + 1)
        # Told apart without colours too: by the marker and the dashes.
        curves = ((name, "training", "o--"), (f"val_{name}", "validation", "s-"))
        for key, label, style in curves:
            values = history.get(key, history.get(key.replace("accuracy", "acc"), ()))
            if len(values):
                epochs = range(1, len(values) + 1)
                form = style if len(values) <= _MOST_MARKERS else style[1:]
                axes.plot(epochs, values, form, markersize=5, label=label)
        if best is not None:
            axes.axvline(best, color="0.5", linestyle=":", label=f"best epoch ({best})")
        axes.set_title(name)
        axes.set_xlabel("epoch")
        axes.set_xlim(0.5, max(map(len, history.values()), default=1) + 0.5)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    return written("learning_curves", figure, path)
