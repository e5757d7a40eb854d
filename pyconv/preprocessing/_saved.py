"""Images of batches, written to a folder as they are made."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import path_arg
from pyconv._types import Array
from pyconv.preprocessing._files import array_to_img


@dataclass
class SaveTo:
    """Where images are written, and as what."""

    folder: str
    prefix: str
    suffix: str

    def write(self, x: Array, rows: NDArray[np.int64]) -> None:
        """Write images (n, H, W, C), each named by its row and a random number."""
        numbers = np.random.default_rng().integers(10**7, size=len(rows))
        for image, row, number in zip(x, rows, numbers, strict=True):
            name = f"{self.prefix}_{row}_{number}.{self.suffix}"
            array_to_img(image).save(os.path.join(self.folder, name))


def save_to_arg(owner: str, folder: Any, prefix: str, suffix: str) -> SaveTo | None:
    """Return where ``save_to_dir``, ``save_prefix`` and ``save_format`` say, None for nowhere."""
    if folder is None:
        return None
    path = path_arg(owner, "save_to_dir", folder)
    if not os.path.isdir(path):
        raise FileNotFoundError(f"{owner}: there is no folder {path!r}, as save_to_dir says")
    return SaveTo(path, prefix, suffix)
