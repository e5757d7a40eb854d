"""Which neighbours in a stack are faster as one step."""

from typing import Any

from pyconv.layers._conv_pool import ConvPool
from pyconv.layers._norm_relu import NormRelu


def joined(layers: list[Any]) -> list[Any]:
    """Return the steps of a stack: its layers, or one step for two of them."""
    steps: list[Any] = []
    for layer in layers:
        before: Any = steps[-1] if steps else None
        for pair in (ConvPool, NormRelu):
            if pair.joins(before, layer):
                steps[-1] = pair(before, layer)
                break
        else:
            steps.append(layer)
    return steps
