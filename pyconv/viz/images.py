"""Images beside each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._args import int_arg
from pyconv.viz import _tiles
from pyconv.viz._canvas import new_figure, written


def image_grid(
    images: Any,
    rows: int | None = None,
    columns: int | None = None,
    labels: Sequence[str] | None = None,
    path: Any = None,
) -> Any:
    """Return a figure of images in rows and columns.

    Args:
        images: (N, H, W, C) or (N, H, W), gray or RGB; whole numbers from 0 to 255, others from 0
            to 1 (or stretched to it).
        rows: how many rows, None for as many as there are images for; without ``columns``, the
            images are spread over them.
        columns: images in a row, None for about a square.
        labels: a text for each image, which is cut where it does not fit.
        path: a file to write too, in the format of its ending.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: an argument has the wrong type.
        ValueError: the images have another shape, or there are not as many labels.

    Example:
        >>> import numpy as np
        >>> from pyconv import viz
        >>> figure = viz.image_grid(np.zeros((36, 32, 32, 3), "uint8"), 3, 12)
        >>> len(figure.axes[0].images)
        36
    """
    array = images_arg("image_grid", images)
    if labels is not None and len(labels) < len(array):
        raise ValueError(
            f"image_grid: labels must be a text for each of {len(array)} images, got {len(labels)}"
        )
    if columns is not None:
        columns = int_arg("image_grid", "columns", columns)
    if rows is not None:
        rows = int_arg("image_grid", "rows", rows)
        columns = columns or -(-len(array) // rows)
        array = array[: rows * columns]
    rows, columns = _tiles.grid(len(array), columns, 12)
    width = min(1.4, max(0.8, 16 / columns))
    texts = None if labels is None else [str(label) for label in labels]
    lines = 0 if texts is None else max(text.count("\n") + 1 for text in texts)
    aspect = array.shape[1] / array.shape[2]
    size = columns * width * 1.08 + 0.2, _tiles.height_of(rows, aspect, width, lines) + 0.2
    figure = new_figure(size)
    shown = [_tiles.shown_image(image) for image in array]
    _tiles.draw(figure.add_subplot(), shown, columns, width, texts, cmap="gray", vmin=0, vmax=1)
    return written("image_grid", figure, path)


def images_arg(owner: str, images: Any) -> NDArray[Any]:
    """Return images as (N, H, W, C), with at least one of them."""
    array = _targets.numeric(owner, "images", images)
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.ndim != 4 or array.size == 0:
        raise ValueError(
            f"{owner}: images must be (N, H, W, C) or (N, H, W), at least one, got {array.shape}"
        )
    return array
