"""Classes of pyconv that take Keras's older arguments as well."""

import functools
from collections import Counter
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from pyconv._names import auto_name as auto_name
from pyconv._names import reset_names, snake_case
from pyconv.compat import _era
from pyconv.compat._eager import EagerFunction

_names_given: Counter[str] = Counter()

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
# (the object's class, name of the class whose arguments they are, args, kwargs)
Translate = Callable[[type, str, tuple[Any, ...], dict[str, Any]], Arguments]


def old_name(class_name: str) -> str:
    """Return the next name of a class as Keras 2 counts them: conv2d_1, conv2d_2, ..."""
    words = "input" if class_name == "InputLayer" else snake_case(class_name)
    _names_given[words] += 1
    return f"{words}_{_names_given[words]}"


def forget_names() -> None:
    """Count names anew, in both ways."""
    _names_given.clear()
    reset_names()


def translated(base: Any, module: str, translate: Translate, *mixins: type) -> Any:
    """Return a subclass of ``base``, of its name, whose arguments pass through ``translate``."""

    @functools.wraps(base.__init__)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        args, kwargs = translate(type(self), base.__name__, args, kwargs)
        args = tuple(_plain(value) for value in args)
        kwargs = {argument: _plain(value) for argument, value in kwargs.items()}
        first_weights = kwargs.pop("weights", None)
        name = kwargs.get("name")
        if isinstance(name, str) and "/" in name.strip("/") and not _era.is_keras3_by_choice():
            kwargs["name"] = name.replace("/", "_")  # the library's own names have none
            super(made, self).__init__(*args, **kwargs)
            self.name = name
        else:
            super(made, self).__init__(*args, **kwargs)
        if first_weights is not None:
            self._first_weights = first_weights

    body = {
        "__module__": module,
        "__qualname__": base.__name__,
        "__doc__": base.__doc__,
        "__init__": init,
        "stands_for": base,
    }
    made: Any = type(base.__name__, (*mixins, base), body)
    return made


def _plain(value: Any) -> Any:
    """Return pyconv's function for one of ``tf.nn``."""
    return value.function if isinstance(value, EagerFunction) else value


def adopt(instance: Any, classes: Mapping[str, type]) -> None:
    """Make an object of pyconv one of the subclass of the same name in ``classes``."""
    found = classes.get(type(instance).__name__)
    if found is not None and vars(found).get("stands_for") is type(instance):
        instance.__class__ = found


def all_translated(
    source: ModuleType, base: type, module: str, translate: Translate, mixins: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the public names of ``source``, its classes below ``base`` translated.

    Args:
        source: a module with ``__all__``.
        base: the class above those to be translated.
        module: name of the module that the new classes are of.
        translate: see ``translated``.
        mixins: tuples of mixins by name of the class; "" for all others.
    """
    made: dict[type, Any] = {}
    names: dict[str, Any] = {}
    for name in source.__all__:
        found = getattr(source, name)
        if isinstance(found, type) and issubclass(found, base):
            if found not in made:
                others = mixins.get(found.__name__, mixins.get("", ()))
                made[found] = translated(found, module, translate, *others)
            found = made[found]
        names[name] = found
    return names
