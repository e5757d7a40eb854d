"""What layers are told that are called within the call of another one: ``training`` and more."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

# The arguments of the calls around, the innermost before the others, and the path of their layers.
_arguments: ContextVar[dict[str, Any]] = ContextVar("arguments", default={})  # noqa: B039
_path: ContextVar[str] = ContextVar("path", default="")


_following: ContextVar[bool] = ContextVar("following", default=False)


@contextlib.contextmanager
def following() -> Iterator[None]:
    """Be in a call that is followed with tensors, once for all calls."""
    token = _following.set(True)
    try:
        yield
    finally:
        _following.reset(token)


def check_random() -> None:
    """Raise a TypeError in a call that is followed: its random numbers would never change."""
    if _following.get():
        raise TypeError("random numbers are drawn anew in each call, which then is not followed")


def check_assigned() -> None:
    """Raise a TypeError in a call that is followed: it would assign to a variable but once."""
    if _following.get():
        raise TypeError("a variable is assigned to in each call, which then is not followed")


def arguments() -> dict[str, Any]:
    """Return what the calls around gave for arguments that are passed on."""
    return _arguments.get()


def path() -> str:
    """Return the path of the layer within whose call this is, or ''."""
    return _path.get()


@contextlib.contextmanager
def within(path: str, given: dict[str, Any]) -> Iterator[None]:
    """Be in the call of a layer of this path, with these arguments to pass on."""
    told = {name: value for name, value in given.items() if value is not None}
    tokens = _arguments.set({**_arguments.get(), **told}), _path.set(path)
    try:
        yield
    finally:
        _arguments.reset(tokens[0])
        _path.reset(tokens[1])
