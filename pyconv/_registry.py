"""Objects by name: string ids and configs are looked up in fixed tables, nothing is evaluated."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def find_class(owner: str, what: str, name: str, classes: Mapping[str, type[T]]) -> type[T]:
    """Return the class of that name; ``classes`` has lower-case keys."""
    found = classes.get(name.lower())
    if found is None:
        import difflib

        close = difflib.get_close_matches(name.lower(), classes, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(
            f"{owner}: unknown {what} {name!r}; {hint}known are {', '.join(sorted(classes))}"
        )
    return found


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
    found = find_class(owner, what, config["class_name"], classes)
    return found, dict(config.get("config", {}))


def with_custom(
    classes: Mapping[str, type[T]], custom_objects: Mapping[str, Any] | None
) -> Mapping[str, type[T]]:
    """Return the table with the user's own classes before those of the library."""
    if not custom_objects:
        return classes
    return {**classes, **{name.lower(): found for name, found in custom_objects.items()}}


def construct(owner: str, found: Callable[..., T], config: Mapping[str, Any]) -> T:
    """Make an object of a config, by ``from_config``; an unknown argument is a ValueError."""
    make = getattr(found, "from_config", None)
    try:
        return found(**config) if make is None else make(dict(config))
    except TypeError as error:
        raise ValueError(f"{owner}: the config does not fit: {error}") from None


def to_config(instance: Any) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}`` of an object that has ``get_config``."""
    return {"class_name": type(instance).__name__, "config": instance.get_config()}
