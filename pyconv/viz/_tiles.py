"""Images of one size in rows and columns, on one pair of axes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GAP = 0.08  # between tiles, of a tile's width
_LINE = 1.25  # the height of a line of text, of its size


def grid(count: int, columns: int | None, most: int = 8) -> tuple[int, int]:
    """Return (rows, columns) for so many tiles."""
    wide = columns or min(most, max(1, math.ceil(math.sqrt(count))))
    return max(1, math.ceil(count / wide)), wide


def draw(
    axes: Any,
    images: Sequence[NDArray[Any]],
    columns: int,
    width: float,
    labels: Sequence[str] | None = None,
    colours: Sequence[str] | None = None,
    fontsize: float = 8,
    **style: Any,
) -> Any:
    """Draw images row by row, each with its label above; return the last one's artist.

    Args:
        axes: where to.
        images: arrays (H, W) or (H, W, C), all of one shape.
        columns: images in a row.
        width: of a tile, in inches, for the text to fit.
        labels: a text for each, of the same number of lines.
        colours: the texts' colours.
        fontsize: of the texts, in points.
        **style: of matplotlib's ``imshow``.
    """
    lines = max((label.count("\n") + 1 for label in labels), default=0) if labels else 0
    height = images[0].shape[0] / images[0].shape[1]
    text = lines * _LINE * fontsize / 72 / width
    rows = max(1, math.ceil(len(images) / columns))
    step = height + text + _GAP
    artist = None
    for i, image in enumerate(images):
        left, top = i % columns * (1 + _GAP), i // columns * step + text
        artist = axes.imshow(
            image, extent=(left, left + 1, top + height, top), interpolation="nearest", **style
        )
        if labels:
            axes.text(
                left + 0.5,
                top - 0.02,
                "\n".join(fitted(line, width, fontsize) for line in labels[i].split("\n")),
                ha="center",
                va="bottom",
                fontsize=fontsize,
                linespacing=1.1,
                color=colours[i] if colours else "black",
                parse_math=False,
            )
    axes.set_xlim(-_GAP / 2, columns * (1 + _GAP) - _GAP / 2)
    axes.set_ylim(rows * step - _GAP / 2, -_GAP / 2)
    axes.set_aspect("equal")
    axes.axis("off")
    return artist


def height_of(rows: int, aspect: float, width: float, lines: int = 0, fontsize: float = 8) -> float:
    """Return the inches that rows of tiles take, each ``width`` wide."""
    return rows * (width * (aspect + _GAP) + lines * _LINE * fontsize / 72)


def fitted(text: str, width: float, fontsize: float) -> str:
    """Return the text, cut where it is wider than ``width`` inches."""
    most = max(3, int(width * 72 / (0.6 * fontsize)))
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def shown_image(image: Any) -> NDArray[Any]:
    """Return an image (H, W, C) as ``imshow`` takes it: (H, W) or (H, W, 3), from 0 to 1.

    Whole numbers are taken to end at 255; others are stretched where they leave 0 to 1.
    """
    array = np.asarray(image)
    whole = array.dtype.kind in "iu"
    array = np.nan_to_num(array.astype(np.float64), posinf=0.0, neginf=0.0)
    if whole:
        array = array / 255
    low, high = array.min(initial=0), array.max(initial=0)
    if low < 0 or high > 1:
        array = (array - low) / (high - low)
    if array.ndim == 3 and array.shape[2] == 1:
        return np.asarray(array[..., 0])
    if array.ndim == 3 and array.shape[2] != 3:
        return np.asarray(array.mean(axis=2))
    return np.asarray(array)
