"""One image, and images beside each other."""

import re
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _files, _targets
from pyconv._args import int_arg
from pyconv.viz import _tiles
from pyconv.viz._canvas import new_figure, written


def imshow(title: str, image: Any, path: Any = None) -> Any:
    """Return a figure of an image under a title: OpenCV's ``imshow``, for notebooks and files.

    Without matplotlib the image alone is written as a PNG file, whose path is printed and returned.

    Args:
        title: a text above the image.
        image: (H, W), or (H, W, C) of 1 or 3 channels, which are red, green and blue: what OpenCV
            has read is turned by ``image[..., ::-1]``. Whole numbers from 0 to 255, others from 0
            to 1; numbers beyond, such as those of a derivative, are stretched to it.
        path: a file to write too, in the format of its ending; without matplotlib a PNG, and
            ``title.png`` by default.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: the image has another shape.

    Example:
        >>> import numpy as np
        >>> from pyconv import filters, viz
        >>> image = np.eye(8) * 255
        >>> figure = viz.imshow("Averaging", filters.blur(image.astype("uint8"), (3, 3)))
        >>> figure.axes[0].get_title()
        'Averaging'
    """
    if not isinstance(title, str):
        raise TypeError(
            f"imshow: title must be a string and comes first, got {type(title).__name__}"
        )
    array = _targets.numeric("imshow", "image", image)
    if array.ndim not in (2, 3) or array.size == 0 or array.shape[2:] not in ((), (1,), (3,)):
        raise ValueError(
            f"imshow: image must be (H, W), (H, W, 1) or (H, W, 3), got {array.shape}; "
            "image_grid shows several"
        )
    h, w = array.shape[:2]
    width = min(max(w / 100, 4.0), 10.0)
    try:
        figure = new_figure((width, min(max(width * h / w, 0.5), 12.0) + 0.4))
    except ImportError:
        return _written_png(title, array, path)
    axes = figure.add_subplot()
    picture = _tiles.shown_image(array)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    # About ten characters an inch: a long title takes several lines.
    axes.set_title(textwrap.fill(title, int(10 * width)), parse_math=False)
    axes.axis("off")
    return written("imshow", figure, path)


def _written_png(title: str, image: NDArray[Any], path: Any) -> str:
    from pyconv.viz._png import png

    name = re.sub(r"[^\w -]+", "_", title).strip() or "image"
    place = _files.place("imshow", f"{name}.png" if path is None else path)
    with _files.replacing(place) as file:
        file.write(png(_tiles.shown_image(image)))
    print(f"imshow: {place} (matplotlib shows images in notebooks)")
    return place


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
