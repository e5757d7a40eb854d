"""Models: ``Sequential``, and models from files, JSON and other models."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyconv.layers.graph import Graph
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer
from pyconv.model import Sequential

if TYPE_CHECKING:
    from pyconv.saving import load_model, save_model

__all__ = ["Sequential", "clone_model", "load_model", "model_from_json", "save_model"]


def __getattr__(name: str) -> Any:
    """Import on first use: a program that has no model in a file pays nothing."""
    if name not in ("load_model", "save_model"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pyconv import saving

    value = globals()[name] = getattr(saving, name)
    return value


def model_from_json(
    json_string: str, custom_objects: dict[str, type[Layer]] | None = None
) -> Sequential:
    """Return a new model of the architecture that ``to_json``, also Keras's, wrote.

    Args:
        json_string: the JSON.
        custom_objects: your own layer classes by name.

    Raises:
        TypeError: ``json_string`` is not a string.
        ValueError: it is not the JSON of a Sequential, or a layer is not known.

    Example:
        >>> import pyconv
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2)])
        >>> pyconv.models.model_from_json(model.to_json()).count_params()
        10
    """
    from pyconv.formats import keras_config_reader

    if not isinstance(json_string, (str, bytes)):
        raise TypeError(
            f"model_from_json: json_string must be a string, got a {type(json_string).__name__}"
        )
    try:
        config = keras_config_reader.from_model_config(json.loads(json_string))
        return Sequential.from_config(config, custom_objects)
    except (RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"model_from_json: {error or type(error).__name__}") from None


def clone_model(
    model: Sequential,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
) -> Sequential:
    """Return a model of the same architecture with weights of its own, initialized anew.

    Args:
        model: the model; it is left as it is, and the new one is not compiled.
        input_tensors: None, or an ``Input`` to begin with in place of the model's.
        clone_function: returns the new layer for a layer; by default one of its configuration.

    Raises:
        TypeError: ``model`` is not a Sequential, or ``input_tensors`` not an ``Input``.

    Example:
        >>> import pyconv
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2)])
        >>> pyconv.models.clone_model(model).count_params()
        10
    """
    if not isinstance(model, Sequential):
        raise TypeError(f"clone_model: model must be a Sequential, got a {type(model).__name__}")
    if input_tensors is not None and not isinstance(input_tensors, InputLayer):
        raise TypeError(
            f"clone_model: input_tensors must be an Input, got a {type(input_tensors).__name__}"
        )
    if clone_function is not None and not callable(clone_function):
        raise TypeError(
            "clone_model: clone_function must be a function of a layer, got a "
            f"{type(clone_function).__name__}"
        )
    copy = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))
    shape = model.stack_config()["build_input_shape"]
    first = [InputLayer(batch_shape=shape)] if shape is not None else []
    if input_tensors is not None:
        first = [input_tensors]

    def copied(layer: Layer) -> Layer:
        if isinstance(layer, Graph):
            return Graph([(copied(inner), sources) for inner, sources in layer.nodes])
        return copy(layer)

    layers = [copied(layer) for layer in model._layers]
    return type(model)([*first, *layers], model.trainable, model.name)
