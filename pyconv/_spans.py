"""Spans: what Python's side of a program shows in a trace. While none is taken they do nothing."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from pyconv import backend
from pyconv._types import Array

_NOTHING = contextlib.nullcontext()
_begin: Callable[[], int] = backend.active.trace_begin
_end: Callable[[str, int], None] = backend.active.trace_span
_on = False


def switch(on: bool) -> None:
    """Record spans from here on, or no longer."""
    global _on, _begin, _end
    _on = on
    native: Any = backend.active
    _begin, _end = native.trace_begin, native.trace_span
    if native is not backend.cpu:

        def end(name: str, began: int) -> None:
            native.synchronize()  # what the span asked for is done
            native.trace_span(name, began)

        _end = end


@contextlib.contextmanager
def noted() -> Iterator[None]:
    """Within, spans are a part of the graph that this thread records."""
    global _on
    before, _on = _on, True
    try:
        yield
    finally:
        _on = before


def recorded() -> bool:
    """Whether spans are recorded."""
    return _on


def span(name: str) -> Any:
    """Return a context that a trace shows, on its thread, under this name."""
    return Span(name) if _on else _NOTHING


class Span:
    """A context that a trace shows."""

    __slots__ = ("_began", "_name")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._began = _begin()

    def __exit__(self, *error: object) -> None:
        _end(self._name, self._began)


class SpannedStep:
    """A step of a model whose passes are spans.

    Args:
        step: the step.
        within: what their names begin with, of a layer that holds the step.
    """

    def __init__(self, step: Any, within: str = "") -> None:
        self._step = step
        self._forward, self._backward = names_of(step, within)

    @property
    def trainable(self) -> bool:
        """Whether training changes the step's weights."""
        return bool(self._step.trainable)

    @property
    def learns(self) -> bool:
        """Whether ``backward`` is asked for gradients."""
        return bool(self._step.learns)

    @property
    def params(self) -> list[Array]:
        """The step's weights."""
        return self._step.params  # type: ignore[no-any-return]

    def forward(self, *arguments: Any, **options: Any) -> Any:
        """Do what the step does."""
        began = _begin()
        try:
            return self._step.forward(*arguments, **options)
        finally:
            _end(self._forward, began)

    def backward(self, *arguments: Any, **options: Any) -> Any:
        """Do what the step does."""
        began = _begin()
        try:
            return self._step.backward(*arguments, **options)
        finally:
            _end(self._backward, began)


def names_of(step: Any, within: str = "") -> tuple[str, str]:
    """Return what spans call a step's passes, in UTF-8 without zeros."""
    name = (within + step.name).encode(errors="backslashreplace").decode().replace("\0", "\\x00")
    return f"{name} forward", f"{name} backward"
