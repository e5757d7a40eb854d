"""Configurations of pyconv in the form of Keras 3: the JSON of models, and compile's arguments."""

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyconv import _registry
from pyconv._names import snake_case
from pyconv._own_state import is_own
from pyconv._registry import kind_of
from pyconv.activations.of_layer import is_layer
from pyconv.custom_objects import get_registered_name
from pyconv.formats import keras_graph

if TYPE_CHECKING:
    from pyconv.layers.layer import Layer
    from pyconv.model import Sequential

# Where a file has the class of a model of the user's own, which Keras leaves alone.
OWN_CLASS = "pyconv_class"
# The version whose form is written.
KERAS_VERSION = "3.0.0"
_MODULES = {
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "rate": "keras.optimizers.schedules",
}
# Arguments that Keras's classes do not take, left out where they have these values.
_NOT_KERAS: dict[str, dict[str, Any]] = {
    "RandomCrop": {"per_image": False, "padding": 0},
    **{f"SpatialDropout{rank}D": {"trainable": True} for rank in (1, 2, 3)},
}


def model_config(model: "Sequential", modules: bool) -> dict[str, Any]:
    """Return the JSON of a model.

    Args:
        model: the model.
        modules: whether objects say their module, as in ``.keras`` files and ``to_json``; not in
            ``.h5`` files.
    """
    description = model.class_description()
    if description is not None and not model.is_network:
        build = {"build_config": {"input_shape": model.input_shape}} if model.built else {}
        return {**build, **description}
    result = _plain_config(model, modules)
    return result if description is None else {**result, OWN_CLASS: description}


def _plain_config(model: "Sequential", modules: bool) -> dict[str, Any]:
    """Return the JSON of a model as one of the library's classes."""
    from pyconv.layers.graph import Graph
    from pyconv.layers.input import InputLayer

    wired = model.wired_config(modules)
    if wired is not None:
        if "input_layers" in wired:
            return _object("Functional", "keras.src.models.functional", wired, modules)
        result = _object("Sequential", "keras", wired, modules)
        if modules and wired["build_input_shape"] is not None:
            result["build_config"] = {"input_shape": wired["build_input_shape"]}
        return result
    own = model.stack_config()
    shape = own["build_input_shape"]
    first = model._input
    if shape is not None and first is None:
        first = InputLayer(batch_shape=shape, name="input_layer")
    branches = any(isinstance(layer, Graph) for layer in model._layers)
    if first is not None and (branches or (model.is_functional and shape is not None)):
        return _functional_config(model, first, modules)
    layers = [layer_config(layer, modules) for layer in model._layers]
    if shape is not None and first is not None:
        layers.insert(0, layer_config(first, modules))
    config = {"name": own["name"], "trainable": own["trainable"], "layers": layers}
    result = _object("Sequential", "keras", {**config, "build_input_shape": shape}, modules)
    if modules and shape is not None:
        result["build_config"] = {"input_shape": shape}
    return result


def _functional_config(model: "Sequential", first: "Layer", modules: bool) -> dict[str, Any]:
    """Return the JSON of a model with branches, as Keras's functional API has it."""
    from pyconv.layers.graph import unfolded

    nodes = unfolded(model._layers)
    layers = [first, *(layer for layer, _ in nodes)]
    wiring = keras_graph.wiring(layers, [(), *(sources for _, sources in nodes)], modules)
    config = {
        "name": model.name,
        "trainable": model.trainable,
        "layers": [
            {**layer_config(layer, modules), "name": layer.name, "inbound_nodes": inbound}
            for layer, inbound in zip(layers, wiring, strict=True)
        ],
        "input_layers": [[first.name, 0, 0]],
        "output_layers": [[layers[-1].name, 0, 0]],
    }
    if modules:
        unnest(config)
    return _object("Functional", "keras.src.models.functional", config, modules)


def unnest(config: dict[str, Any]) -> None:
    """Have one input or output be no list of one, which Keras 3 would give as such."""
    for what in ("input_layers", "output_layers"):
        listed = config[what]
        if isinstance(listed, list) and len(listed) == 1 and isinstance(listed[0], list):
            config[what] = listed[0]


def layer_config(layer: "Layer", modules: bool) -> dict[str, Any]:
    """Return the JSON of a layer."""
    kind = kind_of(layer)
    config = layer.get_config()
    activation: Any = getattr(layer, "activation", None)
    if is_layer(activation):
        config["activation"] = layer_config(activation, True)  # as initializers
    if "data_format" in inspect.signature(kind).parameters:
        config.setdefault("data_format", "channels_last")
    if kind.__name__ == "InputLayer" and not modules:
        config["batch_input_shape"] = config.pop("batch_shape")
    for name, value in _NOT_KERAS.get(kind.__name__, {}).items():
        if config.get(name) == value:
            del config[name]
    if not modules and isinstance(config.get("dtype"), Mapping):
        config["dtype"] = _registry.plain(config["dtype"])  # as all versions have it
    known = kind.__module__.startswith("pyconv.")
    config = {name: _nested(name, value) for name, value in config.items()}
    result = _object(kind.__name__, "keras.layers" if known else None, config, modules)
    if not known and modules:
        result.update(module=kind.__module__, registered_name=get_registered_name(kind))
    elif not known:
        result["class_name"] = get_registered_name(kind)
    if modules and is_own(layer, "get_build_config"):
        result.update(own_build_config(layer))
    elif modules and layer.knows_shape and kind.__name__ != "InputLayer":
        result["build_config"] = {"input_shape": layer.input_shape}
    return result


def own_build_config(owner: Any) -> dict[str, Any]:
    """Return what a ``get_build_config`` of the user's own gives, as an entry of a description."""
    from pyconv.serialization import serialize_keras_object

    if not is_own(owner, "get_build_config"):
        return {}
    build = owner.get_build_config()
    if build is not None and not isinstance(build, dict):
        raise TypeError(f"{owner.label}: get_build_config must return a dict, got {build!r:.60}")
    return {} if build is None else {"build_config": serialize_keras_object(build)}


def compile_config(compiled: Mapping[str, Any], modules: bool) -> dict[str, Any]:
    """Return the arguments of ``compile``, from those of ``get_compile_config``."""
    result = {
        "loss": _loss(compiled["loss"], modules),
        "loss_weights": compiled["loss_weights"],
        "metrics": _measure(compiled["metrics"], "keras.metrics", modules),
        "weighted_metrics": _measure(compiled["weighted_metrics"], "keras.metrics", modules)
        or None,
        "run_eagerly": False,
        "steps_per_execution": 1,
        "jit_compile": False,
    }
    optimizer = compiled["optimizer"]
    if optimizer is not None:
        own = {name: _nested(name, value) for name, value in optimizer["config"].items()}
        made = _object(optimizer["class_name"], "keras.optimizers", own, modules)
        result["optimizer" if modules else "optimizer_config"] = made
    return result


def _object(name: str, module: str | None, config: dict[str, Any], modules: bool) -> dict[str, Any]:
    if not modules:
        return {"class_name": name, "config": config}
    registered = None if module else name
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def _nested(name: str, value: Any) -> Any:
    """Return an argument; initializers and the like say their module in all files of Keras 3."""
    module = _MODULES.get(name.rpartition("_")[2])
    if module is None or not isinstance(value, Mapping) or "class_name" not in value:
        return value
    return _object(value["class_name"], module, dict(value.get("config", {})), True)


def _loss(loss: Any, modules: bool) -> Any:
    from pyconv import losses

    if isinstance(loss, list):
        return [_loss(one, modules) for one in loss]
    if not isinstance(loss, Mapping):
        return loss
    if "class_name" not in loss:
        return {name: _loss(one, modules) for name, one in loss.items()}
    if loss["class_name"] not in losses.__all__:
        return _measure(loss, "keras.losses", modules)
    plain = losses.deserialize({"class_name": loss["class_name"]}).get_config()
    if {**plain, "name": None} == {**loss["config"], "name": None}:
        # By its name, which every version knows.
        return snake_case(loss["class_name"])
    return _measure(loss, "keras.losses", modules)


def _measure(value: Any, module: str, modules: bool) -> Any:
    if isinstance(value, list):
        return [_measure(one, module, modules) for one in value]
    if not isinstance(value, Mapping):
        return value
    if "class_name" not in value:
        return {name: _measure(one, module, modules) for name, one in value.items()}
    from pyconv import losses, metrics

    name = value["class_name"]
    is_own = not any(name in part.__all__ for part in (losses, metrics))
    return _object(name, None if is_own else module, dict(value["config"]), modules)
