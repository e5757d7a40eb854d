"""Configurations in the forms of Keras 1, 2 and 3, and pyconv's in that of Keras 3."""

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyconv import _registry
from pyconv._names import snake_case
from pyconv._registry import kind_of
from pyconv.custom_objects import get_registered_name
from pyconv.formats import keras_arguments, keras_graph
from pyconv.formats.keras_graph import MODELS as MODELS

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
_OTHER_NAMES = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "MaxPool2D": "MaxPooling2D",
    "AvgPool2D": "AveragePooling2D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
}


# --- pyconv's to Keras's ----------------------------------------------------------------------


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
        return {**description, **build}
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
    if modules and not known:
        result.update(module=kind.__module__, registered_name=get_registered_name(kind))
    if modules and layer.knows_shape and kind.__name__ != "InputLayer":
        result["build_config"] = {"input_shape": layer.input_shape}
    return result


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


# --- Keras's to pyconv's ----------------------------------------------------------------------


def from_model_config(config: Any) -> dict[str, Any]:
    """Return the configuration that ``Sequential.from_config`` takes, from a model's JSON.

    Raises:
        ValueError: it is no Sequential's.
    """
    if not isinstance(config, Mapping):
        raise ValueError(f"a model's config must be a dict, got {config!r:.60}")
    kind, inner = config.get("class_name"), config.get("config")
    if kind in ("Functional", "Model"):
        if isinstance(inner, Mapping) and keras_graph.needs_calls(inner):
            return dict(inner)
        return {**keras_graph.stack(inner), "functional": True}
    if kind != "Sequential":
        raise ValueError(
            f"its model is a {kind!r:.60}; only Sequential models and functional ones are read"
        )
    if isinstance(inner, list):
        inner = {"layers": inner}  # Keras 1, and Keras 2 before 2.2.3
    if not isinstance(inner, Mapping):
        raise ValueError("a Sequential's config must have a list of layers")
    result = dict(inner)
    build = config.get("build_config")
    if result.get("build_input_shape") is None and isinstance(build, Mapping):
        result["build_input_shape"] = build.get("input_shape")
    return result


def built_for(config: Mapping[str, Any]) -> Any:
    """Return the shape of the input that a model's JSON says it was built for, or None."""
    build = config.get("build_config")
    if not isinstance(build, Mapping):
        return None
    return build.get("input_shape", build.get("shapes_dict"))


def plain_layer(config: Any) -> Any:
    """Return a layer's configuration with the names of today, from one of Keras 1, 2 or 3."""
    if not isinstance(config, Mapping) or not isinstance(config.get("config"), Mapping):
        return config
    name = config.get("class_name")
    if not isinstance(name, str):
        return config
    name = _OTHER_NAMES.get(name, name)
    arguments = dict(config["config"])
    shape = arguments.get("batch_input_shape")
    if isinstance(shape, (list, tuple)) and name == "InputLayer":
        arguments["batch_shape"] = arguments.pop("batch_input_shape")
    elif shape is None or not isinstance(shape, (list, tuple)):
        arguments.pop("batch_input_shape", None)
    axis = arguments.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        arguments["axis"] = axis[0]
    if name == "Dropout" and isinstance(arguments.get("p"), float):
        arguments["rate"] = arguments.pop("p")
    _, arguments = keras_arguments.layer(name, (), arguments, keras2=False)
    plain = {"class_name": name, "config": arguments}
    return {**plain, **{n: config[n] for n in ("registered_name", "module") if config.get(n)}}


def from_compile_config(config: Any) -> dict[str, Any]:
    """Return the configuration that ``compile_from_config`` takes, from one of Keras.

    Args:
        config: ``training_config`` of a ``.h5`` file, or ``compile_config`` of a ``.keras`` file.
    """
    if not isinstance(config, Mapping):
        raise ValueError(f"the arguments of compile must be a dict, got {config!r:.60}")
    optimizer = config.get("optimizer", config.get("optimizer_config"))
    return {
        "optimizer": _optimizer(optimizer),
        "loss": _plain_loss(config.get("loss")),
        "loss_weights": _single(config.get("loss_weights")),
        "metrics": _plain_metrics(config.get("metrics")),
        "weighted_metrics": _plain_metrics(config.get("weighted_metrics")),
    }


def _optimizer(config: Any) -> Any:
    """Return an optimizer's configuration; Keras 2's decay is a schedule of today."""
    if not isinstance(config, Mapping) or not isinstance(config.get("config"), Mapping):
        return config
    arguments = dict(config["config"])
    if "lr" in arguments:
        arguments["learning_rate"] = arguments.pop("lr")
    decay = arguments.pop("decay", None)
    if decay and isinstance(arguments.get("learning_rate"), (int, float)):
        arguments["learning_rate"] = {
            "class_name": "InverseTimeDecay",
            "config": {
                "initial_learning_rate": arguments["learning_rate"],
                "decay_steps": 1,
                "decay_rate": decay,
            },
        }
    arguments.pop("schedule_decay", None)
    name = config.get("class_name")
    return {"class_name": name.rpartition(">")[2] if isinstance(name, str) else name,
            "config": arguments}  # fmt: skip


def _plain_loss(loss: Any) -> Any:
    loss = _function_name(_single(loss))
    if isinstance(loss, list):
        return [_plain_loss(one) for one in loss]
    if isinstance(loss, Mapping) and "class_name" not in loss:
        return {name: _plain_loss(one) for name, one in loss.items()}
    config = loss.get("config") if isinstance(loss, Mapping) else None
    if isinstance(config, Mapping) and config.get("reduction") == "auto":
        # What TensorFlow's Keras called today's default.
        return {**loss, "config": {**config, "reduction": "sum_over_batch_size"}}
    return loss


def _plain_metrics(metrics: Any) -> Any:
    if metrics is None:
        return None
    if isinstance(metrics, Mapping) and "class_name" not in metrics and len(metrics) > 1:
        return {name: _plain_metrics(one) for name, one in metrics.items()}
    if isinstance(metrics, list) and len(metrics) > 1 and any(map(_holds_several, metrics)):
        return [_plain_metrics(one) for one in metrics]
    if isinstance(metrics, Mapping):
        metrics = list(metrics.values())
    if not isinstance(metrics, list):
        metrics = [metrics]
    if len(metrics) == 1 and isinstance(metrics[0], list):
        metrics = metrics[0]
    return [_plain_metric(metric) for metric in metrics]


def _holds_several(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, Mapping) and "class_name" not in value)


def _plain_metric(metric: Any) -> Any:
    metric = _function_name(metric)
    if isinstance(metric, Mapping) and metric.get("class_name") == "MeanMetricWrapper":
        inner = metric.get("config")
        if isinstance(inner, Mapping) and "fn" in inner:
            # 'accuracy' is one of several, which the shapes tell.
            name, function = inner.get("name"), _function_name(inner["fn"])
            return name if name in ("accuracy", "acc") else function
    return metric


def _function_name(value: Any) -> Any:
    """Return the name of a function that Keras 3 describes as an object."""
    if isinstance(value, Mapping) and value.get("class_name") == "function":
        return value.get("config")
    return value


def _single(value: Any) -> Any:
    if isinstance(value, Mapping) and len(value) == 1 and "class_name" not in value:
        return next(iter(value.values()))
    return value[0] if isinstance(value, list) and len(value) == 1 else value
