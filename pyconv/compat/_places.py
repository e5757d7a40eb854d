"""Where Keras's files have the weights of models within models, and of classes of the user's own.

Keras 3 walks through attributes, in the order of their names, and through lists and dicts; layers
of its own models come first. What it has come by it leaves out.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pyconv._derived import before
from pyconv._names import free_name
from pyconv._stack import Stack
from pyconv.compat._tracked import NOT_TRACKED, Tracked
from pyconv.formats.places import Member, Place, numbered, place_of
from pyconv.layers.layer import Layer


def places(model: Any, as_network: bool) -> list[Place]:
    """Return the places of all weights, by Keras 3's paths.

    Args:
        model: the model.
        as_network: whether a model of the user's own is to be the network that its call is.
    """
    found = list(_walk(model, "", {}, as_network))
    _name(found)
    return found


def places_within(layer: Any, path: str, in_order: bool) -> list[Place]:
    """Return the places of a layer and all that it holds."""
    found = list(_deep(layer, set()) if in_order else _walk(layer, path, {}))
    _name(found)
    return found


def members(model: Any, as_network: bool) -> list[Member]:
    """Return the layers and models that a model shows, with the places of all that they hold."""
    seen: set[int] = {id(model)}
    own = _place(model, "")
    found = [
        (member.name, list(_deep(member, seen)))
        for member in _layers(model, as_network)
        if not getattr(member, "is_within", False)
    ]
    if own.weights:
        found.insert(0, ("", [own]))
    _name([place for _, inner in found for place in inner])
    return found


def _name(found: list[Place]) -> None:
    taken: set[str] = set()
    for place in found:
        place.name = free_name(place.name, taken)
        taken.add(place.name)


def _layers(model: Any, as_network: bool) -> list[Any]:
    if not as_network:
        return list(model.layers)
    return [*(start.layer for start in model.inputs), *model._members_of_network()]


def _walk(
    owner: Any, path: str, seen: dict[int, Place], as_network: bool = False
) -> Iterator[Place]:
    known = seen.get(id(owner))
    if known is not None:
        known.others += (path,)
        return
    place = seen[id(owner)] = _place(owner, path)
    yield place
    for name, child in _children(owner, as_network):
        yield from _within(child, f"{path}/{name}" if path else name, seen)


def _within(
    child: Any, path: str, seen: dict[int, Place], around: tuple[int, ...] = ()
) -> Iterator[Place]:
    if isinstance(child, (Layer, Stack)):
        yield from _walk(child, path, seen)
    elif isinstance(child, (dict, list, tuple)) and id(child) not in around:
        used: Counter[str] = Counter()
        for one in child.values() if isinstance(child, dict) else child:
            if isinstance(one, (Layer, Stack)):
                name = numbered(_class_name(one), used)
            elif isinstance(one, (dict, list, tuple)):
                name = numbered("container", used)
            else:
                continue
            yield from _within(one, f"{path}/{name}", seen, (*around, id(child)))


def _children(owner: Any, as_network: bool) -> Iterator[tuple[str, Any]]:
    named: dict[str, Any]
    if not isinstance(owner, Layer):
        has_call = getattr(owner, "_has_call", False) and not as_network
        layers = _layers(owner, as_network) if owner.built or has_call else []
        named = {} if as_network else {**_properties(owner), **owner.own_attributes()}
        if not has_call:
            yield "layers", layers
        else:
            named["layers"] = layers
    elif isinstance(owner, Tracked):
        own = {name: v for name, v in vars(owner).items() if name not in NOT_TRACKED}
        named = {**_properties(owner), **own}
    else:
        return
    for name in sorted(named, key=lambda name: (name.startswith("_"), name)):
        yield name, named[name]


def _properties(owner: Any) -> dict[str, Any]:
    """Return what properties of the user's own give."""
    found: dict[str, Any] = {}
    for kind in type(owner).__mro__:
        if kind.__module__.startswith("pyconv."):
            continue
        for name, value in vars(kind).items():
            if isinstance(value, property):
                with contextlib.suppress(Exception):  # as Keras does
                    found.setdefault(name, getattr(owner, name))
    return found


def _deep(owner: Any, seen: set[int]) -> Iterator[Place]:
    """Give the place of a layer or model and of all that it holds, in the order of its weights."""
    if id(owner) in seen:
        return
    seen.add(id(owner))
    yield _place(owner, "")
    within = owner.layers if isinstance(owner, Stack) else ()
    for layer in owner._layers if isinstance(owner, Tracked) else within:
        yield from _deep(layer, seen)


def _place(owner: Any, path: str) -> Place:
    if isinstance(owner, Stack):
        own = owner.own_named_weights()
        trained = set(map(id, owner._params())) if own else ()
    elif isinstance(owner, Tracked):
        own = owner.own_named_weights()
        trained = set(map(id, owner.params)) if owner.trainable else ()
    else:
        return place_of(owner, path)
    return Place(path, owner.name, owner, own, frozenset(trained))


def _class_name(owner: Any) -> str:
    kind = before(type(owner))
    plain = isinstance(owner, Stack) and kind.__module__.startswith("pyconv.compat._")
    return "Functional" if plain and owner.is_functional else str(kind.__name__)
