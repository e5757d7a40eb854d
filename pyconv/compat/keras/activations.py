"""``keras.activations``: those of ``pyconv.activations``."""

from pyconv import activations
from pyconv.compat import _unsupported

__all__ = [
    name
    for name, found in vars(activations).items()
    if isinstance(found, activations.ActivationFunction)
]
__getattr__ = _unsupported.getter(__name__, activations)
