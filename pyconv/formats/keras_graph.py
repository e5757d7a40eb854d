"""Models of Keras's functional API, of one input and one output, as a Sequential's."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyconv.layers.layer import Layer

MODELS = ("Functional", "Model", "Sequential")
_MERGES = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")


def needs_calls(config: Any) -> bool:
    """Whether a model has several inputs or outputs, uses a layer again, or holds a model."""
    layers = config.get("layers") if isinstance(config, Mapping) else None
    if not isinstance(layers, list) or not all(isinstance(layer, Mapping) for layer in layers):
        return False
    if "input_layers" not in config or "output_layers" not in config:
        return False
    several = any(_count(config[what]) > 1 for what in ("input_layers", "output_layers"))
    nodes = (layer.get("inbound_nodes") for layer in layers)
    return (
        several
        or any(isinstance(node, list) and len(node) > 1 for node in nodes)
        or any(map(is_model, layers))
        or any(map(is_function, layers))
    )


def is_wired(config: Any) -> bool:
    """Whether a model is more than a stack: its layers are called, or it holds models."""
    layers = config.get("layers") if isinstance(config, Mapping) else None
    return isinstance(layers, list) and ("input_layers" in config or any(map(is_model, layers)))


def has_own(config: Any) -> bool:
    """Whether a model has layers of the user's own, which may hold layers."""
    from pyconv import layers as known

    layers = config.get("layers") if isinstance(config, Mapping) else None
    names = [la.get("class_name") for la in flat(layers or []) if isinstance(la, Mapping)]
    return any(isinstance(name, str) and not hasattr(known, name) for name in names)


def is_model(layer: Any) -> bool:
    """Whether a configuration among those of layers is that of a model."""
    return isinstance(layer, Mapping) and (
        layer.get("class_name") in MODELS or "pyconv_class" in layer
    )


def is_function(layer: Any) -> bool:
    """Whether a configuration among those of layers is that of a function of Keras 3's ``ops``."""
    module = layer.get("module") if isinstance(layer, Mapping) else None
    return isinstance(module, str) and module.startswith("keras.src.ops.")


def _count(form: Any) -> int:
    """Return how many tensors ``input_layers`` or ``output_layers`` names."""
    if isinstance(form, Mapping):
        return sum(map(_count, form.values()))
    if not isinstance(form, list):
        return 0
    return 1 if form and isinstance(form[0], str) else sum(map(_count, form))


def stack(config: Any) -> dict[str, Any]:
    """Return a Sequential's configuration of that of a functional model, of Keras 1, 2 or 3.

    Where layers branch there is a ``Graph`` of them.

    Raises:
        ValueError: it has several inputs or outputs, uses a layer twice, or is damaged.
    """
    from pyconv.layers.graph import cuts

    layers = config.get("layers") if isinstance(config, Mapping) else None
    if not isinstance(layers, list):
        raise ValueError("a model's config must have a list of layers")
    ordered, sources = _ordered(layers)
    stacked: list[Any] = ordered[:1]
    for begin, end in cuts(sources):
        block = [
            [layer, [source - begin for source in taken]]
            for layer, taken in zip(ordered[1:][begin:end], sources[begin:end], strict=True)
        ]
        alone = len(block) == 1 and len(block[0][1]) == 1
        graph = {"class_name": "Graph", "config": {"nodes": block}}
        stacked.append(block[0][0] if alone else graph)
    return {
        "name": config.get("name"),
        "trainable": config.get("trainable", True),
        "layers": stacked,
    }


def flat(layers: Any) -> list[Any]:
    """Return the configurations of layers, with those of a ``Graph`` in its place."""
    found: list[Any] = []
    for layer in layers:
        config = layer.get("config") if isinstance(layer, Mapping) else None
        nodes = config.get("nodes") if isinstance(config, Mapping) else None
        if isinstance(nodes, list) and layer.get("class_name") == "Graph":
            found += flat([node[0] for node in nodes if isinstance(node, list) and node])
        else:
            found.append(layer)
    return found


def wiring(
    layers: Sequence["Layer"], sources: Sequence[Sequence[int]], modules: bool
) -> list[list[Any]]:
    """Return ``inbound_nodes`` of each layer: of the form of Keras 3, or of those before.

    Args:
        layers: the input and all others.
        sources: the numbers in ``layers`` of what each takes; of the input none.
        modules: whether it is to be that of Keras 3.
    """
    nodes: list[list[Any]] = []
    for layer, taken in zip(layers, sources, strict=True):
        if not taken:
            nodes.append([])
        elif not modules:
            nodes.append([[[layers[source].name, 0, 0, {}] for source in taken]])
        else:
            tensors: list[Any] = [_tensor(layers[source]) for source in taken]
            several = type(layer).__name__ in _MERGES
            nodes.append([{"args": [tensors] if several else tensors, "kwargs": {}}])
    return nodes


def _tensor(layer: "Layer") -> dict[str, Any]:
    """Return Keras 3's form of a layer's result."""
    history = [layer.name, 0, 0]
    config = {"shape": list(layer.output_shape), "dtype": "float32", "keras_history": history}
    return {"class_name": "__keras_tensor__", "config": config}


def _ordered(layers: list[Any]) -> tuple[list[Any], list[list[int]]]:
    """Return the layers, each after what it takes, and what all but the first, the input, take.

    A number is that of a layer in the result, the input's 0.
    """
    waiting: dict[str, tuple[Any, list[str]]] = {}
    for layer in layers:
        if not isinstance(layer, Mapping) or not isinstance(layer.get("name"), str):
            raise ValueError(f"a layer's config must have a name, got {layer!r:.60}")
        waiting[layer["name"]] = (layer, _sources(layer))
    starts = [name for name, (_, names) in waiting.items() if not names]
    used = {name for _, names in waiting.values() for name in names}
    ends = [name for name in waiting if name not in used]
    for what, names in (("inputs", starts), ("outputs", ends)):
        if len(names) != 1:
            raise ValueError(
                f"it has {len(names)} {what}{': ' * bool(names)}{', '.join(names)}; only models "
                "of one input and one output are read"
            )
    numbers: dict[str, int] = {}
    ordered: list[Any] = []
    sources: list[list[int]] = []
    while waiting:
        left = len(waiting)
        # In the file's order, as far as can be: that of the optimizer's state.
        for name, (layer, names) in list(waiting.items()):
            if all(source in numbers for source in names):
                numbers[name] = len(ordered)
                ordered.append(layer)
                if names:
                    sources.append([numbers[source] for source in names])
                del waiting[name]
        if len(waiting) == left:
            raise ValueError(f"nothing leads to the layers {list(waiting)}")
    return ordered, sources


def _sources(layer: Mapping[str, Any]) -> list[str]:
    """Return the names of the layers whose results a layer takes; of an input none."""
    nodes = layer.get("inbound_nodes")
    if not nodes:
        return []
    if isinstance(nodes, list) and len(nodes) > 1:
        raise ValueError(
            f"the layer {layer['name']!r} is used {len(nodes)} times; only models that use each "
            "layer once are read"
        )
    found: list[Any] = []
    for node in nodes if isinstance(nodes, list) else [nodes]:
        if isinstance(node, Mapping):
            arguments = node.get("args")
            found += _histories(arguments if isinstance(arguments, list) else [])
        elif isinstance(node, list):
            found += [inbound[0] if isinstance(inbound, list) else None for inbound in node]
    merges = layer.get("class_name") in _MERGES
    if not all(isinstance(name, str) for name in found) or (len(found) != 1 and not merges):
        raise ValueError(
            f"the layer {layer['name']!r} has {len(found)} inputs; only {', '.join(_MERGES)} take "
            "several"
        )
    return found


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
