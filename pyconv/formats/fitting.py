"""How the weights of a file get into the layers of a model: by path, by name or in order."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.formats import own_state
from pyconv.formats.places import Place, but, in_old_order, pairs_in_order
from pyconv.layers._arguments import stored_weight

if TYPE_CHECKING:
    from pyconv.formats.stored import Stored, Weights
    from pyconv.model import Sequential


def float32(array: NDArray[Any]) -> Array:
    """Return numbers of a file as float32."""
    if array.dtype.kind not in "fiu":
        raise ValueError(f"a weight must hold numbers, got {array.dtype}")
    return np.ascontiguousarray(array, np.float32).reshape(array.shape)


def fit(
    model: "Sequential",
    stored: "Stored",
    by_name: bool = False,
    skip_mismatch: bool = False,
    skipped: Collection[int] = (),
) -> None:
    """Put what a file holds into a model; weights are changed once all are known to fit.

    Layers of the ids ``skipped`` are left as they are.

    Raises:
        ValueError: see ``weights_of``; or code of the user's own does not take what is there.
    """
    for weight, value in list(weights_of(model, stored, by_name, skip_mismatch, skipped)):
        weight[...] = value
    if stored.by_class:
        own_state.load(but(model.file_places(stored.as_network), skipped), stored, skip_mismatch)


def weights_of(
    model: "Sequential",
    stored: "Stored",
    by_name: bool,
    skip_mismatch: bool,
    skipped: Collection[int] = (),
) -> Iterator[tuple[Array, Array]]:
    """Give (the model's weight, its values in a file).

    Raises:
        ValueError: there are more or fewer layers in the file, or one does not fit and
            ``skip_mismatch`` is False.
    """
    for places, arrays in _pairs(model, stored, by_name, skip_mismatch, skipped):
        try:
            yield from _fitted(places, arrays)
        except ValueError:
            if not skip_mismatch:
                raise


def _pairs(
    model: "Sequential",
    stored: "Stored",
    by_name: bool,
    skip_mismatch: bool,
    skipped: Collection[int],
) -> Iterator[tuple[list[Place], "Weights"]]:
    if stored.by_class:
        if by_name:
            raise ValueError(
                "by_name needs a file that names its layers: of Keras 3's weights, only .h5 does"
            )
        places = model.file_places(stored.as_network)
        left = [place for place in places if place.loads_itself or id(place.owner) in skipped]
        paths = {path for place in left for path in (place.path, *place.others)}
        kept = [place for place in places if place.weights and place not in left]
        of_layers = all(path.startswith("layers/") for path in stored.paths)
        if not left and of_layers and all(p.path.count("/") == 1 for p in [*kept, *places[1:]]):
            yield from _of_classes(stored, places, skip_mismatch)
        else:
            yield from _of_paths(stored, kept, paths, skip_mismatch)
        return
    members = [
        (name, [place for place in places if place.weights])
        for name, places in model.file_members(stored.as_network)
    ]
    targets = [(name, places) for name, places in members if places]
    if any(isinstance(group, Mapping) for group in stored.groups.values()):
        targets = [(place.name, [place]) for _, places in targets for place in places]
    if by_name:
        yield from ((of, stored.groups[name]) for name, of in targets if name in stored.groups)
        return
    if len(stored.groups) != len(targets) and not skip_mismatch:
        raise ValueError(
            f"it has weights of {len(stored.groups)} layers, the model has {len(targets)}"
        )
    yield from zip((of for _, of in targets), stored.groups.values(), strict=False)


def _of_classes(
    stored: "Stored", places: Sequence[Place], skip_mismatch: bool
) -> Iterator[tuple[list[Place], "Weights"]]:
    """Give the layers of a stack with their weights, by class and number."""
    layers = [place for place in places if place.path]
    found = stored.of_classes([(type(place.owner).__name__, place.name) for place in layers])
    missing = [place.name for place in layers if place.weights and place.name not in found]
    if missing and not skip_mismatch:
        raise ValueError(f"it has no weights of {', '.join(missing)}")
    yield from (([place], found[place.name]) for place in layers if place.name in found)


def _of_paths(
    stored: "Stored", places: Sequence[Place], left: set[str], skip_mismatch: bool
) -> Iterator[tuple[list[Place], "Weights"]]:
    """Give layers, also those within others, with their weights by path.

    What is at the paths of ``left`` is left to others.
    """
    at = {id(p): next((x for x in (p.path, *p.others) if x in stored.paths), None) for p in places}
    missing = [place.path or "the model" for place in places if at[id(place)] is None]
    if missing and not skip_mismatch:
        raise ValueError(f"it has no weights of {', '.join(missing)}")
    own = set(at.values())
    others = [
        path
        for path, arrays in stored.paths.items()
        if path.startswith("layers/")
        and path not in own
        and path not in left
        and arrays[0].dtype.kind == "f"
    ]
    if others and not skip_mismatch:
        raise ValueError(f"it has weights of layers {others}, which the model has not")
    for place in places:
        path = at[id(place)]
        if path is not None:
            yield [place], stored.paths[path]


def _fitted(places: Sequence[Place], stored: "Weights") -> list[tuple[Array, Array]]:
    """Return (a layer's weight, its new values); ValueError where they do not fit."""
    if isinstance(stored, Mapping):
        (place,) = places
        label = place.owner.label
        return place.pairs(
            [stored_weight(label, n, weight.shape, stored) for n, weight in place.weights.items()]
        )
    listed = in_old_order(places)
    label = places[0].owner.label
    if len(stored) != len(listed):
        names = ", ".join(name for _, name, _ in listed)
        raise ValueError(f"{label} has {len(listed)} weights ({names}), the file {len(stored)}")
    result = []
    for (place, name, weight), array in zip(listed, stored, strict=True):
        if array.shape != weight.shape:
            label = place.owner.label
            raise ValueError(
                f"{label}: {name} must be {weight.shape}, got {array.shape}; the shapes of the "
                "file and of the model must match"
            )
        result.append(float32(array))
    return list(pairs_in_order(places, listed, result))
