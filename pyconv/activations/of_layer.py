"""Layers as activation functions: ``Dense(4, activation=LeakyReLU(0.1))``."""

from collections.abc import Mapping
from typing import Any

from pyconv._types import Array
from pyconv.activations.function import ActivationFunction


class OfLayer(ActivationFunction):
    """What a layer without weights does, as the last step of another layer.

    Several layers may have the same one: what its gradient needs it computes anew.

    Args:
        owner: what errors name.
        layer: the layer.

    Raises:
        ValueError: the layer turns out to have weights.
    """

    uses_input = True

    def __init__(self, owner: str, layer: Any) -> None:
        self.owner, self.layer = owner, layer
        self.name = f"layer {type(layer).__name__}"

    def forward(self, x: Array, out: Array) -> Array:
        """Return the activation of ``x``, written to ``out``, which may be ``x``."""
        out[...] = self._run(x, False)
        return out

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        """Return the gradient of the input, written to ``out``, which may be ``dy``."""
        self._run(kept, True)
        out[...] = self.layer.backward(dy, True)
        return out

    def _run(self, x: Array, training: bool) -> Any:
        if not self.layer.knows_shape:
            self.layer.build((None, *x.shape[1:]))
        if self.layer.weights:
            raise ValueError(
                f"{self.owner}: activation must be a layer without weights, got {self.layer!r}, "
                "which has some; give it a place of its own behind this layer"
            )
        return self.layer.forward(x, training)


def is_layer(value: Any) -> bool:
    """Whether a value is a layer, or the configuration of one: it has a name, a function none."""
    if isinstance(value, Mapping):
        config = value.get("config")
        return isinstance(config, Mapping) and "name" in config
    return not isinstance(value, type) and hasattr(value, "forward") and hasattr(value, "weights")
