"""``Concatenate`` along the axis of the batch, on arrays: a network's batches have one size."""

from typing import Any

import numpy as np

from pyconv.compat._eager import array_of, eager
from pyconv.layers.concatenate import Concatenate


class BatchAxis(Concatenate):
    """``axis=0`` puts batches one behind the other, within a call or a step of the user's own."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(-1 if axis == 0 else axis, **kwargs)
        if axis == 0:
            self.axis = 0

    def called(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the result for arrays."""
        if self.axis != 0:
            return super().called(x, *args, **kwargs)  # type: ignore[misc]
        return eager(np.concatenate([array_of(part) for part in x], axis=0))
