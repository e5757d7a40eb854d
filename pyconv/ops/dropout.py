"""Inverted dropout."""

from pyconv import backend
from pyconv._args import float_arg, int_arg
from pyconv._types import Array
from pyconv.ops._checks import float32


def dropout(x: Array, rate: float, seed: int) -> Array:
    """Return x / (1 - rate) for a random share 1 - rate of the elements, else 0.

    The mask depends on ``seed`` and the element's index alone (Philox4x32-10), so that the
    gradient is the same call on dy.

    Args:
        x: of any shape.
        rate: from 0 to 1.
        seed: from 0 to 2**63 - 1.

    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
        2014; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.

    Raises:
        TypeError: x is not a float32 array, or an argument has the wrong type.
        ValueError: an argument is out of range.

    Example:
        >>> import numpy as np, pyconv
        >>> y = pyconv.ops.dropout(np.ones(1000, "float32"), 0.5, seed=1)
        >>> sorted(set(y.tolist()))
        [0.0, 2.0]
    """
    owner = "dropout"
    array = float32(owner, "x", x)
    share = float_arg(owner, "rate", rate, 0.0, 1.0)
    return backend.functional.dropout(array, share, int_arg(owner, "seed", seed, 0, 2**63 - 1))
