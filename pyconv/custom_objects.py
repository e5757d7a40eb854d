"""Classes and functions of one's own, by the names that configurations and files give them."""

import inspect
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from typing import Any, TypeVar

from pyconv._derived import before

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
]

T = TypeVar("T")

_registered: dict[str, Any] = {}
_names: dict[Any, str] = {}
_in_scope: ContextVar[Mapping[str, Any]] = ContextVar("in_scope", default={})  # noqa: B039


class CustomObjectScope:
    """Has configurations and files find classes and functions within a ``with`` block.

    Args:
        custom_objects: classes and functions by name; None for none. Those of a block around this
            one are not found within.

    Raises:
        TypeError: ``custom_objects`` is not a dict.

    Example:
        >>> import pyconv
        >>> def half(x):
        ...     return x / 2
        >>> with pyconv.custom_objects.CustomObjectScope({"half": half}):
        ...     pyconv.losses.get("half") is half
        True
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        if custom_objects is not None and not isinstance(custom_objects, Mapping):
            raise TypeError(
                "CustomObjectScope: custom_objects must be a dict of names, such as "
                f"{{'MyLayer': MyLayer}}, got {custom_objects!r:.60}"
            )
        self.custom_objects: dict[str, Any] = dict(custom_objects or {})
        self._tokens: list[Token[Mapping[str, Any]]] = []

    def __enter__(self) -> "CustomObjectScope":
        self._tokens.append(_in_scope.set(self.custom_objects))
        return self

    def __exit__(self, *args: Any) -> None:
        _in_scope.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope


def get_custom_objects() -> dict[str, Any]:
    """Return the dict of registered classes and functions, which may be changed.

    Example:
        >>> import pyconv
        >>> isinstance(pyconv.custom_objects.get_custom_objects(), dict)
        True
    """
    return _registered


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Return a decorator that has configurations and files find a class or a function.

    Args:
        package: the part of the name before '>'.
        name: the part behind it; None for that of the class or function.

    Raises:
        ValueError: a class has no ``get_config``.

    Example:
        >>> import pyconv
        >>> @pyconv.custom_objects.register_keras_serializable("examples")
        ... class Doubled(pyconv.layers.Dense):
        ...     pass
        >>> pyconv.custom_objects.get_registered_name(Doubled)
        'examples>Doubled'
        >>> pyconv.layers.deserialize(pyconv.layers.serialize(Doubled(2, name="d")))
        <Doubled name=d, built=False>
    """

    def register(found: T) -> T:
        full = f"{package}>{name if name is not None else found.__name__}"  # type: ignore[attr-defined]
        if inspect.isclass(found) and not hasattr(found, "get_config"):
            raise ValueError(
                "register_keras_serializable: Cannot register a class that does not have a "
                f"get_config() method: {found.__name__}"
            )
        _registered[full] = found
        _names[found] = full
        return found

    return register


def get_registered_name(obj: Any) -> str:
    """Return the name that a class or a function is registered by, its own where it is not.

    Example:
        >>> import pyconv
        >>> pyconv.custom_objects.get_registered_name(dict)
        'dict'
    """
    if isinstance(obj, type):
        obj = before(obj)
    try:
        name: str = _names.get(obj) or obj.__name__
    except (AttributeError, TypeError):
        raise TypeError(
            f"get_registered_name: obj must be a class or a function, got a {type(obj).__name__}"
        ) from None
    return name


def in_scope() -> Mapping[str, Any]:
    """Return the classes and functions of the ``with`` block that this is called in."""
    return _in_scope.get()


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return the class or function of a name, or None.

    Args:
        name: the name; looked up in the scope, among what is registered, then in the arguments.
        custom_objects: more of the user's own, by name.
        module_objects: those of a library, by name.

    Example:
        >>> import pyconv
        >>> pyconv.custom_objects.get_registered_object("unheard of") is None
        True
    """
    if not isinstance(name, str):
        raise TypeError(
            f"get_registered_object: name must be a string, got a {type(name).__name__}"
        )
    for table in (_in_scope.get(), _registered, custom_objects or {}, module_objects or {}):
        if name in table:
            return table[name]
    return None


def named(name: str, registered_name: Any = None) -> Any:
    """Return what the user gave one of these names, or None."""
    for key in (registered_name, name):
        found = get_registered_object(key) if isinstance(key, str) else None
        if found is not None:
            return found
    return None


def loaded(module: Any, name: Any) -> Any:
    """Return the user's own class of this name in a module that is imported already, or None.

    Only subclasses of the library's classes are found, and nothing is imported.
    """
    found = vars(sys.modules.get(module, object)).get(name) if isinstance(module, str) else None
    if not isinstance(found, type) or found.__module__.startswith("pyconv."):
        return None
    ours = (kind.__module__.startswith("pyconv.") for kind in found.__mro__)
    return found if hasattr(found, "from_config") and any(ours) else None


def registered_as(name: str) -> Any:
    """Return what is registered under this name in one package, or None."""
    alike = [found for key, found in _registered.items() if key.endswith(f">{name}")]
    return alike[0] if len(alike) == 1 else None
