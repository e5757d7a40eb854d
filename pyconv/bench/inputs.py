"""The arrays that cases run on: the same in every process."""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.bench.cases import Train
from pyconv.bench.networks import CLASSES

# Numbers repeat after so many: drawing each would cost more than the benchmark. A prime, so that
# no two images are alike.
PERIOD = 1_000_003


def normal(role: str, shape: tuple[int, ...]) -> Array:
    """Return standard normal numbers that depend on the role alone."""
    out = np.empty(shape, np.float32)
    flat = out.reshape(-1)
    rng = np.random.default_rng(crc32(role.encode()))
    block = rng.standard_normal(min(flat.size, PERIOD), np.float32)
    for at in range(0, flat.size, PERIOD):
        flat[at : at + PERIOD] = block[: flat.size - at]
    return out


def labels(case: Train) -> NDArray[np.int64]:
    """Return the class of each image of a data set."""
    return np.random.default_rng(0).integers(0, CLASSES, case.x_shape[0])
