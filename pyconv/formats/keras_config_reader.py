"""Configurations of Keras 1, 2 and 3 in the form that pyconv takes."""

from collections.abc import Mapping
from typing import Any

from pyconv.formats import keras_arguments, keras_graph

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
