"""``keras.activations``: those of ``pyconv.activations``, and ``glu``, which halves an axis."""

from pyconv import activations
from pyconv.compat import _unsupported
from pyconv.compat.keras.ops import glu as glu

__all__ = [
    "glu",
    *(
        name
        for name, found in vars(activations).items()
        if isinstance(found, activations.ActivationFunction)
    ),
]
__getattr__ = _unsupported.getter(__name__, activations)
