"""Configurations of models of the functional API: several inputs and outputs, layers used again."""

from collections.abc import Mapping
from typing import Any

from pyconv.compat._functional import Tensor, network, tensor_of
from pyconv.compat._trees import leaves, mapped
from pyconv.formats import keras_config
from pyconv.layers.graph import flat
from pyconv.layers.input import InputLayer
from pyconv.layers.merging import Merge

# What says where a tensor comes from: a layer's name, which call of it, which of its results.
_Source = tuple[str, int, int]


def config_of(model: Any, modules: bool) -> dict[str, Any]:
    """Return the configuration of a model in Keras's form.

    Args:
        model: a model that has its tensors.
        modules: whether it is to be that of Keras 3, or of those before.
    """
    inputs, outputs = model.input, model.output
    starts: list[Tensor] = leaves(inputs)
    ordered = [*starts, *(t for t in network(starts, leaves(outputs)) if t not in starts)]
    calls: dict[str, list[Tensor]] = {}
    for tensor in ordered:
        calls.setdefault(tensor.layer.name, []).append(tensor)

    def source(tensor: Tensor) -> list[Any]:
        return [tensor.layer.name, calls[tensor.layer.name].index(tensor), 0]

    def node(tensor: Tensor) -> Any:
        sources = [source(taken) for taken in tensor.inputs]
        if not modules:
            return [[*one, {}] for one in sources]
        taken = [
            {
                "class_name": "__keras_tensor__",
                "config": {"shape": list(t.shape), "dtype": t.dtype, "keras_history": history},
            }
            for t, history in zip(tensor.inputs, sources, strict=True)
        ]
        phase = getattr(tensor.layer, "phase", None)
        kwargs = {} if phase is None else {"training": phase}
        return {"args": [taken] if isinstance(tensor.layer, Merge) else taken, "kwargs": kwargs}

    layers = []
    for name, tensors in calls.items():
        described = keras_config.layer_config(tensors[0].layer, modules)
        inbound = [node(tensor) for tensor in tensors if tensor.inputs and tensor not in starts]
        layers.append({**described, "name": name, "inbound_nodes": inbound})

    def form(tree: Any) -> Any:
        bare = isinstance(tree, Tensor)
        return [source(tree)] if bare and not modules else mapped(source, tree)

    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": form(inputs),
        "output_layers": form(outputs),
    }


def made(config: Any, custom_objects: Mapping[str, Any] | None = None, weights: Any = None) -> Any:
    """Return the model of a configuration in Keras's form, its layers called as it says.

    Args:
        config: the configuration, of Keras 1, 2 or 3.
        custom_objects: classes of the user's own by name.
        weights: arrays by layer and name, taken as the weights in place of initial ones.

    Raises:
        ValueError: it is damaged, or a layer is not known.
    """
    from pyconv.compat._graph_model import functional

    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):
        raise ValueError("a model's config must have a list of layers")
    created: dict[str, Any] = {}
    waiting: list[tuple[str, int, Any]] = []
    for described in config["layers"]:
        if not isinstance(described, Mapping) or not isinstance(described.get("name"), str):
            raise ValueError(f"a layer's config must have a name, got {described!r:.60}")
        name = described["name"]
        created[name] = _layer(described, custom_objects, weights)
        nodes = described.get("inbound_nodes") or []
        if not isinstance(nodes, list):
            raise ValueError(f"the inbound_nodes of {name!r} must be a list, got {nodes!r:.60}")
        first = 1 if described.get("class_name") in ("Functional", "Model") else 0
        waiting += [(name, first + i, node) for i, node in enumerate(nodes)]
    results: dict[tuple[str, int], Any] = {
        (name, 0): tensor_of(layer)
        for name, layer in created.items()
        if isinstance(layer, InputLayer)
    }
    while waiting:
        left = []
        for name, number, node in waiting:
            sources = _sources(node)
            missing = [one[0] for one in sources if one[0] not in created]
            if missing:
                raise ValueError(
                    f"Invalid Functional model configuration. Missing node: {missing[0]}"
                )
            if all(one[:2] in results for one in sources):
                results[name, number] = _called(created[name], node, results)
            else:
                left.append((name, number, node))
        if len(left) == len(waiting):
            raise ValueError(
                "Invalid Functional model configuration. The graph of the Functional model either "
                "has loops or disconnected nodes. Nothing leads to the layers "
                f"{sorted({name for name, _, _ in left})}"
            )
        waiting = left
    ends = [_form(config.get(what), results) for what in ("input_layers", "output_layers")]
    # Before Keras 3 one alone is in a list too.
    ends = [end[0] if isinstance(end, list) and len(end) == 1 else end for end in ends]
    model = functional(ends[0], ends[1], config.get("name"))
    for layer in flat(model._layers):
        layer.take_given_weights()
    if config.get("trainable") is False:
        model.trainable = False
    return model


def _layer(described: Mapping[str, Any], custom_objects: Any, weights: Any) -> Any:
    from pyconv.compat._model import adopt
    from pyconv.compat.keras import layers
    from pyconv.model import Sequential

    if described.get("class_name") in ("Functional", "Model", "Sequential"):
        if weights:
            raise ValueError("it has a model within the model, whose weights are not read")
        inner = described.get("config")
        if described["class_name"] != "Sequential":
            return made(inner, custom_objects)
        plain = keras_config.from_model_config(described)
        return adopt(Sequential.from_config(plain, {**layers.CLASSES, **(custom_objects or {})}))
    layer = layers.deserialize(described, custom_objects)
    if weights is not None:
        layer.give_weights(weights.get(layer.name, {}))
    return layer


def _sources(node: Any) -> list[_Source]:
    """Return where the tensors of a call come from."""
    if isinstance(node, Mapping):
        history = _history(node)
        if history is not None:
            return [history]
        return [one for value in node.values() for one in _sources(value)]
    if not isinstance(node, list):
        return []
    if _is_source(node):
        return [(node[0], node[1], node[2])]
    return [one for part in node for one in _sources(part)]


def _history(value: Any) -> _Source | None:
    """Return where Keras 3's form of a tensor says that it comes from."""
    if not isinstance(value, Mapping) or value.get("class_name") != "__keras_tensor__":
        return None
    inner = value.get("config")
    history: Any = inner.get("keras_history") if isinstance(inner, Mapping) else None
    if not _is_source(history):
        raise ValueError(f"a tensor must have a keras_history, got {value!r:.60}")
    return history[0], history[1], history[2]


def _is_source(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(type(number) is int for number in value[1:3])
    )


def _called(layer: Any, node: Any, results: Mapping[tuple[str, int], Any]) -> Any:
    """Call a layer as a node says; return its result."""
    if isinstance(node, list):  # Keras 1 and 2
        tensors = [_result(source, results) for source in _sources(node)]
        if not tensors:
            raise ValueError(f"a call must name what it takes, got {node!r:.60}")
        last = node[0][3] if node and isinstance(node[0], list) and len(node[0]) > 3 else {}
        kwargs = {n: v for n, v in dict(last or {}).items() if v is not None}
        several = isinstance(layer, Merge) or len(tensors) > 1
        return layer(tensors if several else tensors[0], **kwargs)

    def argument(value: Any) -> Any:
        history = _history(value)
        if history is not None:
            return _result(history, results)
        if isinstance(value, Mapping):
            return {key: argument(part) for key, part in value.items()}
        return [argument(part) for part in value] if isinstance(value, list) else value

    args, kwargs = node.get("args") or [], node.get("kwargs") or {}
    if not isinstance(args, list) or not isinstance(kwargs, Mapping):
        raise ValueError(f"a call must have lists and dicts of arguments, got {node!r:.60}")
    # Masks come with their tensors.
    named = {n: argument(v) for n, v in kwargs.items() if v is not None and n != "mask"}
    return layer(*map(argument, args), **named)


def _result(source: _Source, results: Mapping[tuple[str, int], Any]) -> Any:
    found = leaves(results[source[:2]])
    if not 0 <= source[2] < len(found):
        raise ValueError(f"the layer {source[0]!r} has {len(found)} results, asked for {source[2]}")
    return found[source[2]]


def _form(value: Any, results: Mapping[tuple[str, int], Any]) -> Any:
    """Return tensors in lists, tuples and dicts, for what says where they come from."""
    if _is_source(value):
        if (value[0], value[1]) not in results:
            raise ValueError(f"there is no result of the layer {value[0]!r:.60}")
        return _result((value[0], value[1], value[2]), results)
    if isinstance(value, Mapping):
        return {key: _form(part, results) for key, part in value.items()}
    if not isinstance(value, (list, tuple)) or not value:
        raise ValueError(f"input_layers and output_layers must name layers, got {value!r:.60}")
    return type(value)(_form(part, results) for part in value)
