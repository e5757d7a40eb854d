"""Models of Keras's functional API, where they are a stack of layers, as a Sequential's."""

from collections.abc import Mapping
from typing import Any


def stack(config: Any) -> dict[str, Any]:
    """Return a Sequential's configuration of that of a functional model, of Keras 1, 2 or 3.

    Raises:
        ValueError: layers branch or join, or the configuration is damaged.
    """
    layers = config.get("layers") if isinstance(config, Mapping) else None
    if not isinstance(layers, list):
        raise ValueError("a model's config must have a list of layers")
    after: dict[str | None, Mapping[str, Any]] = {}
    for layer in layers:
        if not isinstance(layer, Mapping) or not isinstance(layer.get("name"), str):
            raise ValueError(f"a layer's config must have a name, got {layer!r:.60}")
        source = _source(layer)
        if source in after:
            raise ValueError(
                f"layers {after[source]['name']!r} and {layer['name']!r} both follow "
                f"{source or 'nothing'!r}; only models that are a stack of layers are read"
            )
        after[source] = layer
    ordered: list[Mapping[str, Any]] = []
    name = None
    while name in after:
        ordered.append(after.pop(name))
        name = ordered[-1]["name"]
    if after:
        raise ValueError(f"nothing leads to the layers {[la['name'] for la in after.values()]}")
    return {
        "name": config.get("name"),
        "trainable": config.get("trainable", True),
        "layers": ordered,
    }


def _source(layer: Mapping[str, Any]) -> str | None:
    """Return the name of the layer before this one, None for an input."""
    nodes = layer.get("inbound_nodes")
    if not nodes:
        return None
    found: list[Any] = []
    for node in nodes if isinstance(nodes, list) else [nodes]:
        if isinstance(node, Mapping):
            arguments = node.get("args")
            found += _histories(arguments if isinstance(arguments, list) else [])
        elif isinstance(node, list):
            found += [inbound[0] if isinstance(inbound, list) else None for inbound in node]
    if len(found) != 1 or not isinstance(found[0], str):
        raise ValueError(
            f"the layer {layer['name']!r} has {len(found)} inputs; only models that are a stack of "
            "layers are read"
        )
    return found[0]


def _histories(arguments: list[Any]) -> list[Any]:
    """Return the names in Keras 3's tensors, those in a list too."""
    found: list[Any] = []
    for argument in arguments:
        if isinstance(argument, list):
            found += _histories(argument)
        elif isinstance(argument, Mapping):
            history = argument.get("config")
            history = history.get("keras_history") if isinstance(history, Mapping) else None
            found.append(history[0] if isinstance(history, list) and history else None)
    return found
