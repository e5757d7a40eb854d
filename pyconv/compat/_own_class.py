"""Models of the user's own classes in files: what class, and the arguments that make it anew."""

from collections.abc import Mapping
from typing import Any

from pyconv import custom_objects as own_objects
from pyconv._derived import before
from pyconv._extensions import extend
from pyconv._own_state import build_by_config
from pyconv.formats import keras_config_writer
from pyconv.serialization import serialize_keras_object

_ARGUMENTS = "_given_arguments"


def described(model: Any) -> dict[str, Any] | None:
    """Return the class and the configuration of a model of the user's own, None where unknown."""
    kind = before(type(model))
    if kind.__module__.startswith("pyconv."):
        return None
    definer = next(one for one in kind.__mro__ if "get_config" in vars(one))
    if definer.__module__.startswith("pyconv.") and vars(model).get(_ARGUMENTS) is None:
        return None  # its constructor was given what is no plain data
    shapes = vars(model).get("_input_shapes_of_call")
    try:
        config = serialize_keras_object(dict(model.get_config()))
    except (NotImplementedError, TypeError, ValueError):
        return None
    return {
        "module": kind.__module__,
        "class_name": kind.__name__,
        "config": config,
        "registered_name": own_objects.get_registered_name(kind),
        **({} if shapes is None else {"input_shapes": shapes}),
        **keras_config_writer.own_build_config(model),
    }


def made(description: Any, shape: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    """Return a new, built model of what ``described`` gave; None where its class is not known.

    Raises:
        ValueError: the configuration does not fit the class.
    """
    from pyconv.model import Sequential

    if not isinstance(description, Mapping) or not isinstance(description.get("config"), Mapping):
        return None
    found_class = found(description, custom_objects)
    if not isinstance(found_class, type) or not issubclass(found_class, Sequential):
        return None
    try:
        model = found_class.from_config(dict(description["config"]))
    except TypeError as error:
        raise ValueError(
            f"{found_class.__name__}: its from_config does not take what get_config returned: "
            f"{error}"
        ) from None
    shapes = description.get("input_shapes")
    if build_by_config(model, description):
        return model
    if not model.built and shapes is not None:
        model.build(shapes)
    elif not model.built and shape is not None:
        model.build(tuple(shape))
    return model


def found(description: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    """Return the class of the user's own that a description names, None where it is not known."""
    name = description.get("class_name")
    known = (custom_objects or {}).get(name) if isinstance(name, str) else None
    known = known or own_objects.named(str(name), description.get("registered_name"))
    return known or own_objects.loaded(description.get("module"), name)


extend("own_model", made)
