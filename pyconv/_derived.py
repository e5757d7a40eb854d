"""Classes of layers that do more than a class of the library or of the user's own, by its name."""

import copyreg
from functools import cache
from typing import Any

# How often a layer has changed its class: what models keep of their layers is to be made anew.
changes = 0


class Derived:
    """A layer whose class ``derive`` has changed."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return what pickle keeps: the class is made anew, as modules do not have it."""
        kept: Any = super().__reduce_ex__(max(protocol, 2))
        make, arguments, *rest = kept
        kind: Any = type(self)
        mixins = []
        while "derived_from" in vars(kind):
            mixins.append(kind.__mro__[1])
            kind = kind.derived_from
        if make is copyreg.__newobj__:  # type: ignore[attr-defined]
            arguments = (kind, *arguments[1:])
        return _remade, (mixins[::-1], make, arguments), *rest

    @classmethod
    def from_config(cls, *args: Any, **kwargs: Any) -> Any:
        """Return a new layer, of the class before."""
        return before(cls).from_config(*args, **kwargs)


def derive(layer: Any, mixin: Any) -> None:
    """Have a layer be of a class that is ``mixin``, below ``Derived``, over its own."""
    global changes
    changes += 1
    if not isinstance(layer, mixin):
        kind: Any = type(layer)
        layer.__class__ = _derived(mixin, kind)


def before(kind: Any) -> Any:
    """Return the class that a class of layers was before ``derive``."""
    while "derived_from" in vars(kind):
        kind = kind.derived_from
    return kind


@cache
def _derived(mixin: Any, kind: Any) -> Any:
    body = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "derived_from": kind,
    }
    made: Any = type(kind.__name__, (mixin, kind), body)
    if hasattr(kind, "call_over"):
        made.call_over = kind.call_over
    return made


def _remade(mixins: list[Any], make: Any, arguments: Any) -> Any:
    """Return a layer that pickle fills."""
    made = make(*arguments)
    for mixin in mixins:
        kind: Any = type(made)
        made.__class__ = _derived(mixin, kind)
    return made
