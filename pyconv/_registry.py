"""Objects by name: string ids and configs are looked up in fixed tables, nothing is evaluated."""

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from pyconv import custom_objects as own_objects
from pyconv._names import did_you_mean

T = TypeVar("T")


def find_class(
    owner: str,
    what: str,
    name: str,
    classes: Mapping[str, type[T]],
    registered: Any = None,
    module: Any = None,
) -> type[T]:
    """Return the class of that name, the user's own first; ``classes`` has lower-case keys."""
    found = own_objects.named(name, registered)
    if found is None:
        found = classes.get(name.lower())
    if found is None:
        found = own_objects.registered_as(name) or own_objects.loaded(module, name)
    if found is None:
        hint = did_you_mean(name.lower(), classes) or ";"
        raise ValueError(
            f"{owner}: unknown {what} {name!r}{hint} known are {', '.join(sorted(classes))}"
        )
    return found  # type: ignore[no-any-return]


def find_config(
    owner: str, what: str, config: Any, classes: Mapping[str, type[T]]
) -> tuple[type[T], dict[str, Any]]:
    """Return (class, its config) of ``{"class_name": ..., "config": {...}}``."""
    if (
        not isinstance(config, Mapping)
        or not isinstance(config.get("class_name"), str)
        or not isinstance(config.get("config", {}), Mapping)
    ):
        raise ValueError(
            f"{owner}: a {what}'s config must be {{'class_name': str, 'config': dict}}, got "
            f"{config!r:.80}"
        )
    registered, module = config.get("registered_name"), config.get("module")
    found = find_class(owner, what, config["class_name"], classes, registered, module)
    arguments = {name: plain(value) for name, value in config.get("config", {}).items()}
    if found.__module__.startswith("pyconv."):
        arguments = _without_inert(found, arguments)
    else:  # whose constructor may give that of a class of the library what it does not know
        taken = set().union(*(_taken(vars(kind).get("__init__")) for kind in found.__mro__))
        kept = taken | (set(arguments) - _INERT)
        arguments = {name: value for name, value in arguments.items() if name in kept}
    return found, arguments


def plain(value: Any) -> Any:
    """Return the name of a type or a function, which Keras 3 describes as an object."""
    if not isinstance(value, Mapping) or "class_name" not in value:
        return value
    kind, config = value["class_name"], value.get("config")
    if kind == "function" and isinstance(config, str):
        return config
    if kind in ("DTypePolicy", "Policy") and isinstance(config, Mapping):
        # Mixed precision keeps its weights in float32.
        name = str(config.get("name"))
        return "float32" if name.startswith("mixed_") else name
    return value


# What Keras's versions have in configurations without an effect on numbers.
_INERT = {
    "fused",
    "is_legacy_optimizer",
    "jit_compile",
    "quantization_config",
}
_DEFAULTS = {"dtype": "float32", "data_format": "channels_last"}
_OF_ALL_LAYERS = {"name", "trainable", "dtype", "input_shape", "input_dim"}


def _taken(constructor: Any) -> set[str]:
    """Return the names of a constructor's arguments; those of all layers where it takes more."""
    code = getattr(inspect.unwrap(constructor), "__code__", None)
    if code is None:
        return set()
    names = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    return names | _OF_ALL_LAYERS if code.co_flags & inspect.CO_VARKEYWORDS else names


def _without_inert(found: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a config of Keras's without what is not known here and off, or has no effect."""
    known = _taken(found.__init__)

    def is_inert(name: str, value: Any) -> bool:
        off = value is None or value is False or (name == "decay" and value == 0)
        return off or name in _INERT or value == _DEFAULTS.get(name, _INERT)

    return {name: v for name, v in arguments.items() if name in known or not is_inert(name, v)}


def kind_of(instance: Any) -> type[Any]:
    """Return an object's class; of one with Keras's older arguments, the class it stands for."""
    kind = type(instance)
    found: type[Any] = vars(kind).get("stands_for", kind)
    return found


def with_custom(
    classes: Mapping[str, type[T]], custom_objects: Mapping[str, Any] | None
) -> Mapping[str, type[T]]:
    """Return the table with the user's own classes before those of the library."""
    check_custom(custom_objects)
    if not custom_objects:
        return classes
    return {**classes, **{name.lower(): found for name, found in custom_objects.items()}}


def check_custom(custom_objects: Any) -> None:
    """Raise a TypeError unless ``custom_objects`` is None or a table of classes by name."""
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        raise TypeError(
            "custom_objects must be a dict of classes and functions by name, or None, got a "
            f"{type(custom_objects).__name__}"
        )


def made(found: Any) -> Any:
    """Return an instance of a class; a function of the user's own itself."""
    return found() if isinstance(found, type) else found


def construct(owner: str, found: Callable[..., T], config: Mapping[str, Any]) -> T:
    """Make an object of a config, by ``from_config``; an unknown argument is a ValueError."""
    make = getattr(found, "from_config", None)
    if isinstance(found, types.FunctionType):
        return cast(T, found)  # of the user's own
    try:
        return found(**config) if make is None else make(dict(config))
    except TypeError as error:
        raise ValueError(f"{owner}: the config does not fit: {error}") from None


def to_config(instance: Any) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}`` of an object that has ``get_config``."""
    if not hasattr(instance, "get_config"):
        raise ValueError(
            f"{instance!r:.60} is no plain data: it has no get_config; make it a class to save it"
        )
    kind = type(instance)
    config = {"class_name": kind.__name__, "config": instance.get_config()}
    registered = own_objects.get_registered_name(kind)
    return config if registered == kind.__name__ else {**config, "registered_name": registered}


def find_object(
    owner: str,
    name: str,
    identifier: Any,
    base: type[T],
    classes: Mapping[str, type[T]],
    example: str,
) -> T | None:
    """Return the object that None, an object, its class, a name or a config means."""
    if identifier is None or isinstance(identifier, base):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, base):
        return identifier()
    if isinstance(identifier, str):
        return cast(T, made(find_class(owner, name, identifier, classes)))
    if isinstance(identifier, Mapping):
        found, config = find_config(owner, name, identifier, classes)
        return construct(owner, found, config)
    raise TypeError(
        f"{owner}: {name} must be None, a name such as {example}, or a {base.__name__}, got a "
        f"{type(identifier).__name__}"
    )
