"""Configurations of objects whose class does not define ``get_config``, as Keras makes them."""

import inspect
from typing import Any

from pyconv.compat._trees import leaves

_PLAIN = (str, int, float, bool, type(None))


def arguments_of(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """Return the arguments of a constructor by name; None where one is no plain data."""
    try:
        bound = inspect.signature(cls).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return None
    found: dict[str, Any] = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        if name not in bound or parameter.kind is parameter.VAR_POSITIONAL:
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            found.update(bound[name])
        else:
            found[name] = bound[name]
    return found if all(isinstance(leaf, _PLAIN) for leaf in leaves(found)) else None


def completed(instance: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Return a config with the constructor's arguments, if its class is not to do that itself."""
    cls = type(instance)
    definer = next(kind for kind in cls.__mro__ if "get_config" in vars(kind))
    given = vars(instance).get("_given_arguments")
    if not definer.__module__.startswith("pyconv.") or not given:
        return config
    parameters = inspect.signature(cls).parameters
    whole = {**given, **config}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return whole
    return {name: value for name, value in whole.items() if name in parameters}
