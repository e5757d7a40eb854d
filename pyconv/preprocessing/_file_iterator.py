"""What iterators have that read the images of a batch from files."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import pair_arg
from pyconv._types import Array
from pyconv.preprocessing._files import color_mode_arg, img_to_array, load_img
from pyconv.preprocessing._iterator import ImageIterator


class FileIterator(ImageIterator):
    """Batches of images in files of one folder; a subclass sets ``filenames``, and what labels are.

    Its constructor calls ``_read_as`` first, and that of ``ImageIterator`` at its end.
    """

    filenames: list[str]

    def _read_as(
        self,
        owner: str,
        directory: str,
        change: Callable[[Array, np.random.Generator], Array],
        target_size: Any,
        color_mode: str,
        interpolation: str,
    ) -> None:
        self.directory = directory
        self.target_size = pair_arg(owner, "target_size", target_size)
        self.color_mode = color_mode_arg(owner, color_mode)
        self.interpolation, self._change = interpolation, change

    @property
    def samples(self) -> int:
        """The number of images."""
        return self.n

    @property
    def filepaths(self) -> list[str]:
        """The paths of the images."""
        return [self._path(name) for name in self.filenames]

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def _images(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Array:
        """Return the images of these rows, changed, and written where that was asked for."""
        paths = [self._path(self.filenames[row]) for row in rows]
        x = self._change(np.stack([self._image(path) for path in paths]), rng)
        if self.save_to is not None:
            self.save_to.write(x, rows)
        return x

    def _image(self, path: str) -> Array:
        return img_to_array(load_img(path, self.color_mode, self.target_size, self.interpolation))
