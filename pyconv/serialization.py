"""Objects as plain data, in the form of Keras 3, and back."""

import types
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from pyconv import custom_objects as own_objects
from pyconv._own_state import build_by_config
from pyconv._registry import kind_of

__all__ = ["deserialize_keras_object", "serialize_keras_object"]

# Where classes and functions are looked up: nothing else is imported.
_PARTS = (
    "layers",
    "models",
    "losses",
    "metrics",
    "optimizers.schedules",
    "optimizers",
    "initializers",
    "regularizers",
    "constraints",
    "activations",
    "callbacks",
)
# Those that only ``pyconv.compat.keras`` has.
_OF_KERAS = ("dtype_policies", "random")
_PLAIN = (str, int, float, bool)


def serialize_keras_object(obj: Any) -> Any:
    """Return an object as plain data, from which ``deserialize_keras_object`` makes it anew.

    Args:
        obj: an object with ``get_config``, a function, plain data, arrays, or lists, tuples and
            dicts of such.

    Raises:
        TypeError: it has no ``get_config``, or that gives no dict.
        ValueError: it is a ``lambda``, whose code is not written.

    Example:
        >>> import pyconv
        >>> data = pyconv.serialization.serialize_keras_object(pyconv.losses.MeanSquaredError())
        >>> data["module"], data["class_name"]
        ('keras.losses', 'MeanSquaredError')
    """
    if obj is None or type(obj) in _PLAIN:
        return obj
    if isinstance(obj, (list, tuple)):
        return type(obj)(serialize_keras_object(part) for part in obj)
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    special = _special(obj)
    if special is not None:
        return special
    if isinstance(obj, np.generic) or (isinstance(obj, np.ndarray) and obj.ndim == 0):
        return obj.item()
    if isinstance(obj, _PLAIN):
        return next(kind(obj) for kind in _PLAIN if isinstance(obj, kind))
    return _described(obj)


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """Return the object that ``serialize_keras_object``, also Keras's, described.

    Args:
        config: the description. Classes are looked up among the user's own and in fixed tables;
            nothing is imported or run.
        custom_objects: your own classes and functions by name.
        safe_mode: True; code in a description is never run.

    Raises:
        TypeError: it is no description, or the class or function is not known.
        ValueError: it holds code, or the arguments do not fit the class.

    Example:
        >>> import pyconv
        >>> config = {"module": "keras.optimizers", "class_name": "SGD", "config": {}}
        >>> pyconv.serialization.deserialize_keras_object(config).learning_rate
        0.01
    """
    return make(config, custom_objects, "pyconv")


def make(config: Any, custom_objects: Mapping[str, Any] | None, package: str) -> Any:
    """Return the object of a description, its class from the modules of ``package``."""
    if isinstance(config, str):
        own = own_objects.get_registered_object(config, custom_objects)
        return config if own is None else own
    if config is None or isinstance(config, _PLAIN):
        return config
    if isinstance(config, (list, tuple)):
        return [make(part, custom_objects, package) for part in config]
    if not isinstance(config, Mapping):
        raise TypeError(f"deserialize_keras_object: Could not parse config: {config!r:.60}")
    if "class_name" not in config or "config" not in config:
        return {key: make(value, custom_objects, package) for key, value in config.items()}
    name: Any = config["class_name"]
    inner: Any = config["config"] or {}
    if name in _MADE:
        return _MADE[name](inner)
    if name == "__slice__":
        return slice(*(make(inner[k], custom_objects, package) for k in ("start", "stop", "step")))
    is_function = name == "function"
    if not isinstance(inner, str if is_function else Mapping):
        raise TypeError(
            f"deserialize_keras_object: Expected 'config' to be a "
            f"{'non-null str' if is_function else 'dict'} for {name!r:.60}, got {inner!r:.60}"
        )
    found = _found(config, inner if is_function else name, custom_objects, package)
    if is_function or not hasattr(found, "from_config"):
        return found
    return _instance(found, config, dict(config["config"] or {}), custom_objects)


# --- to plain data --------------------------------------------------------------------------------


def _special(obj: Any) -> dict[str, Any] | None:
    """Return what Keras describes by names of its own."""
    name: str
    config: dict[str, Any]
    if isinstance(obj, bytes):
        name, config = "bytes", {"value": obj.decode("utf-8")}
    elif isinstance(obj, slice):
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        name, config = "slice", {k: serialize_keras_object(v) for k, v in parts.items()}
    elif obj is Ellipsis:
        name, config = "ellipsis", {}
    elif isinstance(obj, np.ndarray) and obj.ndim:
        name, config = "numpy", {"value": obj.tolist(), "dtype": obj.dtype.name}
    else:
        return None
    return {"class_name": f"__{name}__", "config": config}


def _described(obj: Any) -> dict[str, Any]:
    if isinstance(obj, types.FunctionType):
        if obj.__name__ == "<lambda>":
            raise ValueError(
                "serialize_keras_object: a lambda has no name to be found by, and to read its code "
                "would be arbitrary code execution; define a function with def, and register it "
                "by register_keras_serializable()"
            )
        name = own_objects.get_registered_name(obj)
        module = _public(obj.__module__) or obj.__module__
        return _of(module, "function", name, name)
    if not hasattr(obj, "get_config"):
        raise TypeError(
            f"serialize_keras_object: Cannot serialize object {obj!r:.60} of type "
            f"{type(obj).__name__}. To be serializable, a class must implement the `get_config()` "
            "method."
        )
    if _is_model(type(obj)):
        return _model(obj)
    from pyconv.formats import keras_config_writer

    config = obj.get_config()
    if not isinstance(config, dict):
        raise TypeError(
            f"serialize_keras_object: The `get_config()` method of {obj!r:.60} should return a "
            f"dict. It returned: {config!r:.60}"
        )
    kind = kind_of(obj)
    public = _public(kind.__module__)
    registered = own_objects.get_registered_name(kind)
    result = _of(
        public or kind.__module__,
        kind.__name__,
        serialize_keras_object(config),
        None if public and registered == kind.__name__ else registered,
    )
    shape = getattr(obj, "input_shape", None) if getattr(obj, "built", False) else None
    own_build = keras_config_writer.own_build_config(obj)
    if own_build:
        result.update(own_build)
    elif public == "keras.layers" and shape is not None and kind.__name__ != "InputLayer":
        result["build_config"] = {"input_shape": serialize_keras_object(shape)}
    return result


def _is_model(kind: type) -> bool:
    """Whether a class is one of the library's models, rather than a subclass of the user's own."""
    from pyconv.model import Sequential

    return issubclass(kind, Sequential) and kind.__module__.startswith("pyconv.")


def _model(model: Any) -> dict[str, Any]:
    from pyconv.formats import keras_config_writer

    config = keras_config_writer.model_config(model, modules=True)
    compiled = model.get_compile_config()
    if compiled is not None:
        config["compile_config"] = keras_config_writer.compile_config(compiled, modules=True)
    return config


def _of(module: str, name: str, config: Any, registered: str | None) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def _public(module: str) -> str | None:
    """Return Keras's module for one of pyconv."""
    if module == "pyconv.model":
        return "keras"
    path = module.removeprefix("pyconv.compat.keras.").removeprefix("pyconv.")
    if path == module:
        return None
    if path in _OF_KERAS:
        return f"keras.{path}"
    parts = (part for part in _PARTS if path == part or path.startswith(part + "."))
    found = next(parts, None)
    return None if found is None else f"keras.{found}"


# --- from plain data ------------------------------------------------------------------------------

_CODE = (
    "deserialize_keras_object: it holds the code of a Python lambda. This carries a potential risk "
    "of arbitrary code execution and is never run; define the function and give it by name in "
    "custom_objects"
)


def _code(config: Any) -> Any:
    raise ValueError(_CODE)


def _bytes(config: Any) -> bytes:
    return str(config["value"]).encode("utf-8")


def _array(config: Any) -> Any:
    return np.array(config["value"], np.dtype(config["dtype"]))


_MADE: dict[Any, Callable[[Any], Any]] = {
    "__bytes__": _bytes,
    "__ellipsis__": lambda config: ...,
    "__lambda__": _code,
    "__numpy__": _array,
    "__tensor__": _array,
}


def _found(
    config: Mapping[str, Any], name: Any, custom_objects: Mapping[str, Any] | None, package: str
) -> Any:
    """Return the class or the function of a description."""
    given = {**(custom_objects or {})}
    for key in (config.get("registered_name"), name):
        if isinstance(key, str) and key != "function":
            own = own_objects.get_registered_object(key, given)
            if own is not None:
                return own
    module = str(config.get("module") or "")
    known = _looked_up(module, str(name), package)
    if known is None:
        known = own_objects.registered_as(str(name))
    if known is None:
        known = own_objects.loaded(module, name)
    if known is None:
        what = "function" if config["class_name"] == "function" else "class"
        raise TypeError(
            f"deserialize_keras_object: Could not locate {what} {name!r:.60} of {module or 'no'} "
            f"module. If it is of your own, register it with "
            "@keras.saving.register_keras_serializable(), or give it in custom_objects"
        )
    return known


def _looked_up(module: str, name: str, package: str) -> Any:
    if name == "Functional" and module.startswith("keras.src.models"):
        name = "Sequential"  # which may have branches
    if module == "keras" or module.startswith("keras.src.models"):
        parts: tuple[str, ...] = ("models", "layers")
    elif module.startswith("keras."):
        parts = tuple(part for part in _PARTS if f"{module}.".startswith(f"keras.{part}."))
    else:
        parts = _PARTS if not module else ()
    if package != "pyconv":  # only Keras has them
        parts = (*parts, *_OF_KERAS)
    for part in parts:
        first, _, rest = part.partition(".")
        found = import_module(f"{package}.{first}")
        found = getattr(found, rest) if rest else found
        if name in found.__all__:
            return getattr(found, name)
    return None


def _instance(
    found: Any,
    config: Mapping[str, Any],
    arguments: dict[str, Any],
    custom_objects: Mapping[str, Any] | None,
) -> Any:
    from pyconv.layers.layer import Layer
    from pyconv.model import Sequential

    scope = own_objects.CustomObjectScope({**own_objects.in_scope(), **(custom_objects or {})})
    with scope:
        if issubclass(found, Sequential):
            from pyconv.formats.keras_config_reader import from_model_config

            arguments = from_model_config({**config, "config": arguments})
        try:
            made = (Sequential if _is_model(found) else found).from_config(arguments)
        except TypeError as error:
            raise TypeError(
                f"deserialize_keras_object: {found.__name__} could not be deserialized properly. "
                f"Please make sure that its `from_config` takes what `get_config` returns. "
                f"Exception encountered: {error}"
            ) from None
    build = config.get("build_config")
    if isinstance(made, Layer) and build_by_config(made, config):
        pass
    elif isinstance(made, Layer) and isinstance(build, Mapping) and not made.built:
        shape = build.get("input_shape")
        if isinstance(shape, (list, tuple)):
            made.build(tuple(shape))
    if isinstance(made, Sequential) and _is_model(found):
        made = found.adopted(made)
    if isinstance(made, Sequential) and isinstance(config.get("compile_config"), Mapping):
        from pyconv.formats.keras_config_reader import from_compile_config

        made.compile_from_config(from_compile_config(config["compile_config"]))
    return made
