"""Configurations of models of the functional API: several inputs and outputs, layers used again."""

import operator
from collections.abc import Mapping
from typing import Any

from pyconv._extensions import extend
from pyconv._names import snake_case
from pyconv._stack import Stack
from pyconv.compat import _own_class
from pyconv.compat._functional import WiredCall, steps_between
from pyconv.compat._tensor import Tensor, tensor_of
from pyconv.compat._trees import filled, leaves, mapped
from pyconv.formats import keras_config_reader, keras_config_writer, keras_graph
from pyconv.layers._merge import Merge
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer

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
    own = set(starts)
    ordered = [
        *starts,
        *(step for step in steps_between(starts, leaves(outputs)) if step not in own),
    ]
    calls: dict[int, list[Any]] = {}
    for step in ordered:
        calls.setdefault(id(_owner(step)), []).append(step)

    def source(tensor: Tensor) -> list[Any]:
        step: Any = tensor if tensor in own or tensor.within is None else tensor.within
        owner = _owner(step)
        number = calls[id(owner)].index(step)
        return [owner.name, number, 0 if step is tensor else step.outputs.index(tensor)]

    def node(step: Any) -> Any:
        sources = [source(taken) for taken in step.inputs]
        if not modules:
            return [[*one, {}] for one in sources]
        taken = [
            {
                "class_name": "__keras_tensor__",
                "config": {"shape": list(t.shape), "dtype": t.dtype, "keras_history": history},
            }
            for t, history in zip(step.inputs, sources, strict=True)
        ]
        owner = _owner(step)
        phase = getattr(owner, "phase", None) if step in own or isinstance(step, Tensor) else None
        kwargs = {} if phase is None else {"training": phase}
        if isinstance(step, WiredCall) and isinstance(step.training, bool):
            kwargs["training"] = step.training
        if isinstance(owner, Stack) and hasattr(owner, "_input_form"):
            return {"args": [filled(owner._input_form, iter(taken))], "kwargs": kwargs}
        return {"args": [taken] if isinstance(owner, Merge) else taken, "kwargs": kwargs}

    layers = []
    for steps in calls.values():
        owner = _owner(steps[0])
        described = member_config(owner, modules)
        inbound = [node(step) for step in steps if step.inputs and step not in own]
        layers.append({**described, "name": owner.name, "inbound_nodes": inbound})

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


def _owner(step: Any) -> Any:
    return step.owner if isinstance(step, WiredCall) else step.layer


def member_config(member: Any, modules: bool) -> dict[str, Any]:
    """Return the JSON of a layer, or of a model within a model."""
    if isinstance(member, Layer):
        return keras_config_writer.layer_config(member, modules)
    described = keras_config_writer.model_config(member, modules)
    if "output_layers" in described["config"] and not modules:
        keras_config_writer.unnest(described["config"])
    return described


def made(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model of a configuration in Keras's form, its layers called as it says.

    Args:
        config: the configuration; of a stack of layers and models too.
        custom_objects: the user's own classes by name.

    Raises:
        ValueError, TypeError: it is damaged, or a layer is not known.
    """
    from pyconv.compat._graph_model import functional

    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):
        raise ValueError("a model's config must have a list of layers")
    if "input_layers" not in config:
        return _stack(config, custom_objects)
    asked = {source[:2] for source in _sources([layer_nodes(one) for one in config["layers"]])}
    asked |= {source[:2] for source in _sources(config.get("output_layers"))}
    created: dict[str, Any] = {}
    waiting: list[tuple[str, int, Any]] = []
    for described in config["layers"]:
        if not isinstance(described, Mapping) or not isinstance(described.get("name"), str):
            raise ValueError(f"a layer's config must have a name, got {described!r:.60}")
        name = described["name"]
        created[name] = _layer(described, custom_objects)
        nodes = described.get("inbound_nodes") or []
        if not isinstance(nodes, list):
            raise ValueError(f"the inbound_nodes of {name!r} must be a list, got {nodes!r:.60}")
        # Before Keras 3 the first call of a network was that on its own inputs.
        first = int((name, len(nodes)) in asked)
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
    if config.get("trainable") is False:
        model.trainable = False
    return model


def layer_nodes(described: Any) -> Any:
    """Return the calls of a layer in a configuration."""
    return described.get("inbound_nodes") if isinstance(described, Mapping) else None


def _stack(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    """Return the model of a stack of layers and models."""
    from pyconv.compat._model import Sequential

    model = Sequential(name=config.get("name"))
    for described in config["layers"]:
        model.add(_layer(described, custom_objects), rebuild=False)
    shape = config.get("build_input_shape")
    if shape is not None and not model.built:
        model.build(tuple(shape))
    else:
        model._build_if_known()
    if config.get("trainable") is False:
        model.trainable = False
    return model


def _layer(described: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    """Return a layer, or a model within the model."""
    from pyconv.compat._model import adopt
    from pyconv.compat.keras import layers
    from pyconv.model import Sequential

    own = described.get(keras_config_writer.OWN_CLASS) if isinstance(described, Mapping) else None
    if own is None and _names_model(described, custom_objects):
        own = described
    if own is not None:
        model = _own_class.made(own, keras_config_reader.built_for(described), custom_objects)
        if model is not None:
            return _named_as(described, model)
    if keras_graph.is_function(described):
        return _function(described)
    if not keras_graph.is_model(described):
        return layers.deserialize(described, custom_objects)
    plain = keras_config_reader.from_model_config(described)
    classes = {**layers.CLASSES, **(custom_objects or {})}
    return _named_as(described, adopt(Sequential.from_config(plain, classes)))


class _Function:
    """A function of ``keras.ops`` in a file, called as a layer is."""

    is_functional = False

    def __init__(self, function: Any, arguments: Mapping[str, Any]) -> None:
        self._function, self._arguments = function, arguments

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs, **self._arguments)


def _function(described: Mapping[str, Any]) -> _Function:
    """Return the function of a configuration such as that of ``keras.src.ops.numpy.Multiply``."""
    from pyconv.compat.keras import ops

    kind, config = described.get("class_name"), described.get("config")
    name = snake_case(str(kind))
    function = operator.getitem if name == "get_item" else getattr(ops, name, None)
    if function is None or not (name == "get_item" or name in ops.__all__):
        raise ValueError(f"unknown function {kind!r:.60} of keras.ops")
    arguments = dict(config) if isinstance(config, Mapping) else {}
    return _Function(function, {n: v for n, v in arguments.items() if n not in ("name", "dtype")})


def _named_as(described: Mapping[str, Any], model: Any) -> Any:
    """Return the model by the name that the network calls it."""
    name = described.get("name")
    if isinstance(name, str):
        model.name = name
    return model


def _names_model(described: Any, custom_objects: Mapping[str, Any] | None) -> bool:
    """Whether a configuration is that of a model of the user's own."""
    if not isinstance(described, Mapping):
        return False
    found = _own_class.found(described, custom_objects)
    return isinstance(found, type) and issubclass(found, Stack)


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

    if not isinstance(node, Mapping):
        raise ValueError(f"a call must be a list or a dict, got {node!r:.60}")
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


extend("wired_model", made)
