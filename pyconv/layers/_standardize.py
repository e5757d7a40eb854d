"""What normalizations share that take mean and variance from the sample itself."""

import numpy as np

from pyconv._types import Array


class Standardize:
    """``x / sqrt(spread + epsilon)``, over some axes of each sample, and its gradient.

    Args:
        epsilon: added to the spread.
        centered: whether the mean is taken off x.
        by_square: whether the spread is the mean of squares; the variance otherwise.
    """

    def __init__(self, epsilon: float, centered: bool = True, by_square: bool = False) -> None:
        self.epsilon, self.centered, self.by_square = epsilon, centered, by_square

    def forward(self, x: Array, axes: tuple[int, ...]) -> Array:
        """Return the standardized x, which ``backward`` needs: it is not to be written over."""
        self._axes = axes
        off = x
        if not self.by_square:
            off = (x - x.mean(axis=axes, keepdims=True, dtype=np.float64)).astype(np.float32)
        spread = np.square(off).mean(axis=axes, keepdims=True, dtype=np.float64)
        self._inverse = (1 / np.sqrt(spread + self.epsilon)).astype(np.float32)
        self._off = off * self._inverse
        self.normal: Array = self._off
        if not self.centered and not self.by_square:
            self.normal = x * self._inverse
        return self.normal

    def backward(self, grad: Array) -> Array:
        """Return the gradient of x from that of the standardized x."""
        axes = self._axes
        along = (grad * self.normal).mean(axis=axes, keepdims=True, dtype=np.float64)
        dx = grad - self._off * along
        if self.centered:
            dx -= grad.mean(axis=axes, keepdims=True, dtype=np.float64)
        result: Array = (dx * self._inverse).astype(np.float32)
        return result


def summed(values: Array, axes: tuple[int, ...]) -> Array:
    """Return the sum over axes, as a gradient of a weight is summed."""
    total: Array = values.sum(axis=axes, dtype=np.float64).astype(np.float32)
    return total
