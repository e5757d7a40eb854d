"""The types that signatures share."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
# A size of each axis, the batch first; None where any size will do.
Shape = tuple[int | None, ...]
