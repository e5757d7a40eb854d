"""``keras.engine``, where Keras 2 had the bases of layers and models."""

from typing import Any

from pyconv.compat import _unsupported
from pyconv.compat._tensor import tensor_of
from pyconv.compat.keras import layers, models
from pyconv.compat.keras.layers import Input as Input
from pyconv.compat.keras.layers import InputSpec as InputSpec
from pyconv.compat.keras.layers import Layer as Layer
from pyconv.compat.keras.models import Model as Model
from pyconv.compat.keras.models import Sequential as Sequential

Container = Functional = Network = Model

__all__ = [
    "Container",
    "Functional",
    "Input",
    "InputSpec",
    "Layer",
    "Model",
    "Network",
    "Sequential",
    "get_source_inputs",
]


def get_source_inputs(tensor: Any, layer: Any = None, node_index: Any = None) -> list[Any]:
    """Return the inputs that a tensor was made of, in a list.

    Args:
        tensor: what the call of a layer gave.
        layer: has no effect.
        node_index: has no effect.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> from pyconv.compat.keras.engine import get_source_inputs
        >>> x = keras.Input((4,))
        >>> get_source_inputs(keras.layers.Dense(2)(x))[0] is x
        True
    """
    found, seen, waiting = [], set(), [tensor_of(tensor)]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += reversed(one.inputs)
            if not one.inputs:
                found.append(one)
    return found


__getattr__ = _unsupported.getter(__name__, layers, models)
