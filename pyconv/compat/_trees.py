"""Lists, tuples and dicts of things, as Keras nests inputs, outputs, losses and metrics."""

from collections.abc import Callable, Iterator
from typing import Any

# Says of a list or tuple that it is one thing, such as a shape.
IsLeaf = Callable[[Any], bool]


def leaves(tree: Any, is_leaf: IsLeaf | None = None) -> list[Any]:
    """Return what is in lists, tuples and dicts, those of dicts by key, in order."""
    if is_leaf is not None and is_leaf(tree):
        return [tree]
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree, key=str) for leaf in leaves(tree[key], is_leaf)]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in leaves(part, is_leaf)]
    return [tree]


def paths(tree: Any) -> list[str]:
    """Return where each of ``leaves`` is, as Keras writes it: '' at the top, ``0.foo`` within."""
    if isinstance(tree, dict):
        parts = [(key, tree[key]) for key in sorted(tree, key=str)]
    elif isinstance(tree, (list, tuple)):
        parts = list(enumerate(tree))
    else:
        return [""]
    found = [(str(key), inner) for key, part in parts for inner in paths(part)]
    return [f"{key}.{inner}" if inner else key for key, inner in found]


def mapped(function: Callable[[Any], Any], tree: Any, is_leaf: IsLeaf | None = None) -> Any:
    """Return lists, tuples and dicts of the same form, of what ``function`` gives for each."""
    if is_leaf is not None and is_leaf(tree):
        return function(tree)
    if isinstance(tree, dict):
        made = {key: mapped(function, tree[key], is_leaf) for key in sorted(tree, key=str)}
        return {key: made[key] for key in tree}
    if isinstance(tree, (list, tuple)):
        parts = [mapped(function, part, is_leaf) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return function(tree)


def filled(tree: Any, values: Iterator[Any]) -> Any:
    """Return lists, tuples and dicts of the same form, of these values in the order of leaves."""
    return mapped(lambda _: next(values), tree)
