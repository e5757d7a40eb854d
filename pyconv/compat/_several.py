"""Models of one's own with several inputs or outputs: of their class, and a ``Structured`` one."""

from functools import cache
from typing import Any

from pyconv.compat._structured import Structured


def become_structured(model: Any) -> None:
    """Have a model of one's own have the methods of models of several inputs and outputs."""
    if not isinstance(model, Structured):
        kind: Any = type(model)
        model.__class__ = _structured(kind)


@cache
def _structured(kind: Any) -> Any:
    def reduce(self: Any, protocol: Any) -> Any:
        return _remade, (kind,), self.__getstate__()

    names = ("__module__", "__qualname__", "__doc__")
    body = {name: getattr(kind, name) for name in names}
    return type(kind.__name__, (kind, Structured), {**body, "derived_from": kind,
                                                    "__reduce_ex__": reduce})  # fmt: skip


def _remade(kind: Any) -> Any:
    """Return a model that pickle fills."""
    return object.__new__(_structured(kind))
