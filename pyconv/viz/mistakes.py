"""What a network takes for something else."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyconv import _targets
from pyconv._args import int_arg, names_arg
from pyconv.model import model_arg
from pyconv.viz import _tiles
from pyconv.viz._canvas import new_figure, written
from pyconv.viz.images import images_arg

if TYPE_CHECKING:
    from pyconv.model import Sequential

_MOST_NUMBERS = 25  # classes; above, the numbers would not fit into their cells
_TILE = 1.35  # inches


def confusion_matrix(y_true: Any, y_pred: Any, class_names: Sequence[str], path: Any = None) -> Any:
    """Return a figure of how often each class was taken for each other.

    The colour of a cell is its share of the true class, the number in it a count of images.

    Args:
        y_true: class numbers (N,) or (N, 1).
        y_pred: predicted class numbers, likewise.
        class_names: a name for each class.
        path: a file to write too, in the format of its ending.

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
    class_names = names_arg("confusion_matrix", "class_names", class_names)
    count = len(class_names)
    true = _targets.class_numbers("confusion_matrix", y_true, (None, count), "y_true")
    predicted = _targets.class_numbers("confusion_matrix", y_pred, (len(true), count), "y_pred")
    table = np.zeros((count, count), np.int64)
    np.add.at(table, (true, predicted), 1)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure = new_figure((9, 8))
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    axes.set_title(f"accuracy {np.trace(table) / max(table.sum(), 1):.1%}")
    axes.set_xticks(range(count), class_names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(count), class_names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if count > _MOST_NUMBERS:
        return written("confusion_matrix", figure, path)
    size = 10 if count <= 12 else 6
    for (i, j), number in np.ndenumerate(table):
        # Zeros step back, so that the mistakes are seen.
        colour = "white" if shares[i, j] > 0.5 else "black" if number else "0.75"
        axes.text(j, i, str(number), ha="center", va="center", color=colour, fontsize=size)
    return written("confusion_matrix", figure, path)


def worst_mistakes(
    model: "Sequential",
    x: Any,
    y: Any,
    class_names: Sequence[str],
    count: int = 24,
    path: Any = None,
) -> Any:
    """Return a figure of the images that the model is most sure of and wrong about.

    Above each the class that it is taken for, with the probability, and the true one.

    Args:
        model: gives (N, classes).
        x: images (N, H, W, C), as the model takes them.
        y: class numbers (N,) or (N, 1), or one-hot (N, classes).
        class_names: a name for each class.
        count: how many images at most.
        path: a file to write too, in the format of its ending.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError, ValueError: shapes, classes or names do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> from pyconv import layers, viz
        >>> model = pyconv.Sequential([layers.Flatten(), layers.Dense(2, activation="softmax")])
        >>> figure = viz.worst_mistakes(model, np.ones((3, 4, 4, 1)), [0, 1, 0], ["cat", "dog"])
    """
    most = int_arg("worst_mistakes", "count", count)
    images = images_arg("worst_mistakes", x)
    class_names = names_arg("worst_mistakes", "class_names", class_names)
    scores = model_arg("worst_mistakes", model).predict(images, verbose=0)
    classes = len(class_names)
    if scores.ndim != 2 or scores.shape[1] != classes:
        raise ValueError(
            f"worst_mistakes: the model must give (N, {classes}), a score for each of "
            f"class_names, got {scores.shape}"
        )
    labels = np.asarray(y)
    if labels.shape == scores.shape and classes > 1:
        labels = labels.argmax(axis=1)
    true = _targets.class_numbers("worst_mistakes", labels, (len(images), classes))
    predicted = scores.argmax(axis=1)
    surest = scores[np.arange(len(scores)), predicted]
    wrong = np.flatnonzero(predicted != true)
    worst = wrong[np.argsort(-surest[wrong], kind="stable")][:most]
    title = f"{len(wrong):,} of {len(images):,} are wrong"
    if len(worst) == 0:
        figure = new_figure((4, 1.5))
        figure.suptitle(title)
        return written("worst_mistakes", figure, path)
    texts = [
        f"{class_names[predicted[i]]}\n{surest[i]:.1%}\ntrue: {class_names[true[i]]}" for i in worst
    ]
    rows, columns = _tiles.grid(len(worst), None)
    aspect = images.shape[1] / images.shape[2]
    size = columns * _TILE * 1.08 + 0.3, _tiles.height_of(rows, aspect, _TILE, 3) + 0.6
    figure = new_figure((max(size[0], 3.5), size[1]))
    figure.suptitle(title)
    shown = [_tiles.shown_image(images[i]) for i in worst]
    _tiles.draw(figure.add_subplot(), shown, columns, _TILE, texts, cmap="gray", vmin=0, vmax=1)
    return written("worst_mistakes", figure, path)
