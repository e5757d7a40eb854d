"""Lists, tuples and dicts of things, as Keras nests inputs, outputs, losses and metrics."""

from collections.abc import Callable, Iterator
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """Return what is in lists, tuples and dicts, those of dicts by key, in order."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree, key=str) for leaf in leaves(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in leaves(part)]
    return [tree]


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return lists, tuples and dicts of the same form, of what ``function`` gives for each."""
    if isinstance(tree, dict):
        return {key: mapped(function, tree[key]) for key in sorted(tree, key=str)}
    if isinstance(tree, (list, tuple)):
        parts = [mapped(function, part) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return function(tree)


def filled(tree: Any, values: Iterator[Any]) -> Any:
    """Return lists, tuples and dicts of the same form, of these values in the order of leaves."""
    return mapped(lambda _: next(values), tree)
