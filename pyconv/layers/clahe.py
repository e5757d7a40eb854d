"""Contrast within the parts of an image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import pair_arg
from pyconv._types import Array
from pyconv.layers._arguments import number_arg
from pyconv.layers._augmentation import range_arg
from pyconv.layers._image_layer import Transformation
from pyconv.layers._pixels import rescaled
from pyconv.layers.equalization import Fixed, tones_of

_BYTES = (0, 255)


class ContrastLimitedAdaptiveHistogramEqualization(Fixed):
    """Makes the tones of each part of an image about as frequent, in training and outside.

    The image is cut into tiles, each of which has a table of tones; between the middles of tiles
    it is interpolated. Tones more frequent than the limit count as the limit, and what is cut off
    is spread over all: noise in flat parts is not raised without bounds. Zuiderveld, "Contrast
    limited adaptive histogram equalization", 1994.

    Args:
        value_range: least and largest value of the images.
        clip_limit: the limit in mean frequencies; 0 for none.
        tile_grid_size: rows and columns of tiles.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first; or one image.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.ContrastLimitedAdaptiveHistogramEqualization(
        ...     clip_limit=0, tile_grid_size=(1, 1)
        ... )
        >>> layer(np.array([10.0, 10.0, 20.0, 30.0]).reshape(1, 2, 2, 1)).ravel().tolist()
        [127.5, 127.5, 191.25, 255.0]
    """

    always = True

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs.pop("seed", None), data_format, **kwargs)
        self.value_range = range_arg(self.label, value_range)
        self.clip_limit = number_arg(self.label, "clip_limit", clip_limit, 0)
        self.tile_grid_size = pair_arg(self.label, "tile_grid_size", tile_grid_size)

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images with the contrast of their parts."""
        x = rescaled(images, self.value_range, _BYTES)
        n, h, w, c = x.shape
        rows, columns = self.tile_grid_size
        tall, wide = -(-h // rows), -(-w // columns)
        # Mirrored below and to the right, as far as whole tiles want.
        padding = ((0, 0), (0, tall * rows - h), (0, wide * columns - w), (0, 0))
        tones = tones_of(np.pad(x, padding, mode="symmetric"), 255)
        tiles = tones.reshape(n, rows, tall, columns, wide, c).transpose(0, 1, 3, 5, 2, 4)
        tables = self._tables(tiles.reshape(n * rows * columns * c, tall * wide))
        tables = tables.reshape(n, rows, columns, c, 256)
        above, below, down = _between(h, tall, rows)
        left, right, across = _between(w, wide, columns)
        which = np.arange(n)[:, np.newaxis, np.newaxis, np.newaxis], np.arange(c)
        seen = tones[:, :h, :w]

        def of(i: NDArray[np.int64], j: NDArray[np.int64]) -> Array:
            row, column = i[:, np.newaxis, np.newaxis], j[:, np.newaxis]
            values: Array = tables[which[0], row, column, which[1], seen]
            return values

        across = across[:, np.newaxis]
        upper = of(above, left) * (1 - across) + of(above, right) * across
        lower = of(below, left) * (1 - across) + of(below, right) * across
        down = down[:, np.newaxis, np.newaxis]
        y = np.asarray(upper * (1 - down) + lower * down, np.float32)
        y[np.isnan(x)] = np.nan
        return rescaled(y, _BYTES, self.value_range)

    def _tables(self, tiles: NDArray[np.int64]) -> Array:
        """Return (tiles, 256): what each tone becomes, from tones (tiles, pixels)."""
        count, pixels = tiles.shape
        offsets = np.arange(count)[:, np.newaxis] * 256
        histogram = np.bincount((tiles + offsets).ravel(), minlength=256 * count)
        frequency = histogram.reshape(count, 256).astype(np.float32)
        if self.clip_limit > 0:
            limited = np.minimum(frequency, np.float32(self.clip_limit * pixels / 256))
            cut = (frequency - limited).sum(axis=1, keepdims=True)
            frequency = limited + cut / 256
        upto = frequency.cumsum(axis=1)
        least = upto.min(axis=1, keepdims=True)
        span = pixels - least
        table = (upto - least) * 255 / np.where(span == 0, 1, span)
        return np.asarray(np.clip(table, 0, 255), np.float32)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "clip_limit": self.clip_limit,
            "tile_grid_size": self.tile_grid_size,
        }


def _between(size: int, tile: int, tiles: int) -> tuple[NDArray[Any], NDArray[Any], Array]:
    """Return the tiles before and behind each cell of an axis, and how far it is between them."""
    at = (np.arange(size) - tile / 2) / tile
    before = np.floor(at).astype(np.int64)
    share = np.asarray(at - before, np.float32)
    return np.clip(before, 0, tiles - 1), np.clip(before + 1, 0, tiles - 1), share
