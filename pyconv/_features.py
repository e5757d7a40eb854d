"""What a layer inside of a model gives: its part up to that layer."""

from typing import Any

from pyconv._args import int_arg, shown
from pyconv._names import did_you_mean
from pyconv.layers.layer import Layer
from pyconv.model import Sequential


def model_upto(model: Sequential, owner: str, upto: Any, name: str = "upto") -> Sequential:
    """Return the layers up to and with ``upto`` as a model, which shares them.

    Raises:
        TypeError: ``upto`` is neither a layer, a name nor an index.
        ValueError: the model has no such layer.
    """
    end = layer_index(model, owner, upto, name) + 1
    return Sequential(model._layers[:end], name=model.name)


def layer_index(model: Sequential, owner: str, wanted: Any, name: str = "layer") -> int:
    """Return the index of a layer of the model, from the layer, its name or an index."""
    layers = model._layers
    names = [layer.name for layer in layers]
    if isinstance(wanted, str):
        if wanted in names:
            return names.index(wanted)
        hint = did_you_mean(wanted, names, 0.4) or "."
        raise ValueError(
            f"{owner}: {model.label} has no layer named {shown(wanted)}{hint} It has: "
            f"{', '.join(names)}"
        )
    if isinstance(wanted, Layer):
        for i, layer in enumerate(layers):
            if layer is wanted:
                return i
        raise ValueError(
            f"{owner}: {wanted.label} is no layer of {model.label}. It has: {', '.join(names)}"
        )
    if isinstance(wanted, bool) or not hasattr(wanted, "__index__"):
        raise TypeError(
            f"{owner}: {name} must be a layer, its name or its index, got {shown(wanted)}"
        )
    return int_arg(owner, name, wanted, -len(layers), len(layers) - 1) % len(layers)
