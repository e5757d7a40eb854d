"""Where files have the weights of a model: by Keras 3's paths, and layer by layer in order."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyconv._names import snake_case
from pyconv._own_state import is_own
from pyconv._types import Array
from pyconv.layers.layer import Layer


@dataclass
class Place:
    """The weights of one layer, without those of layers that it holds.

    ``path`` is that of Keras 3's groups, such as ``layers/conv2d_1``; ``name`` differs from those
    of all other layers of the model.
    """

    path: str
    name: str
    owner: Any
    weights: Mapping[str, Array]
    trained: frozenset[int] = frozenset()  # ids of the weights that training changes
    others: tuple[str, ...] = ()  # paths by which it is found too

    def listed(self) -> "list[Listed]":
        """Return the weights in the layer's order."""
        return [(self, name, weight) for name, weight in self.weights.items()]

    def pairs(self, values: list[Any]) -> list[tuple[Array, Array]]:
        """Return (the layer's array, its new values)."""
        if hasattr(self.owner, "pairs_of_files") and not hasattr(self.owner, "_layers"):
            pairs: list[tuple[Array, Array]] = self.owner.pairs_of_files(values)
            return pairs
        return list(zip(self.weights.values(), values, strict=True))

    @property
    def saves_itself(self) -> bool:
        """Whether code of the user's own says what Keras 3's files have of the layer."""
        return is_own(self.owner, "save_own_variables")

    @property
    def loads_itself(self) -> bool:
        """Whether code of the user's own takes what Keras 3's files have of the layer."""
        return is_own(self.owner, "load_own_variables")

    def saved(self) -> dict[str, Any]:
        """Return the arrays by name that Keras 3's files have of the layer.

        Raises:
            TypeError: code of the user's own gives what is no array of numbers.
        """
        store: dict[str, Any] = {str(i): weight for i, weight in enumerate(self.weights.values())}
        if self.saves_itself:
            store = {}
            self.owner.save_own_variables(store)
        arrays = {name: np.asarray(value) for name, value in store.items()}
        for name, array in arrays.items():
            plain = isinstance(name, str) and name and "/" not in name
            if not plain or array.dtype.kind not in "biuf":
                raise TypeError(
                    f"{self.owner.label}: save_own_variables must put arrays of numbers into the "
                    f"store, by names without '/'; got {array.dtype} as {name!r:.60}"
                )
        return arrays


# A layer or model as a file has it in order: its name, and the places of all that it holds.
Member = tuple[str, list[Place]]


def place_of(layer: Any, path: str) -> Place:
    """Return the place of a layer that holds no others."""
    weights = layer.weights_of_files
    trained = layer.params if layer.trainable else []
    if trained and getattr(layer, "lora_enabled", False):
        trained = list(weights.values())  # as without the matrices, which files do not have
    return Place(path, layer.name, layer, weights, frozenset(map(id, trained)))


def flat_places(layers: Sequence[Layer]) -> list[Place]:
    """Return the places of layers in order, found by class and number: ``layers/conv2d_1``."""
    used: Counter[str] = Counter()
    return [
        place
        for layer in layers
        for place in layer.file_places(f"layers/{numbered(type(layer).__name__, used)}")
    ]


def but(places: Sequence[Place], skipped: Collection[int]) -> list[Place]:
    """Return the places of other owners than those of these ids."""
    return [place for place in places if id(place.owner) not in skipped]


def ids_within(objects: Any) -> frozenset[int]:
    """Return the ids of layers and models, and of all that they hold."""
    found: set[int] = set()
    for one in objects or ():
        within = one._flatten_layers() if hasattr(one, "_flatten_layers") else [one]
        found |= {id(one), *map(id, within)}
    return frozenset(found)


def numbered(class_name: str, used: Counter[str]) -> str:
    """Return the name of the next object of a class in a list, as Keras 3 counts them."""
    kind = snake_case(class_name)
    used[kind] += 1
    return f"{kind}_{used[kind] - 1}" if used[kind] > 1 else kind


# A weight in a file: its place, its name there, and the array.
Listed = tuple[Place, str, Array]


def in_old_order(places: Sequence[Place]) -> list[Listed]:
    """Return the weights of a member as ``.h5`` files have them: those that are trained first."""
    listed = [entry for place in places for entry in place.listed()]
    return sorted(listed, key=lambda entry: id(entry[2]) not in entry[0].trained)


def pairs_in_order(
    places: Sequence[Place], listed: Sequence[Listed], values: Sequence[Any]
) -> Iterator[tuple[Array, Array]]:
    """Give (a layer's array, its new values) for the values of ``listed`` weights."""
    given = {(id(place), name): v for (place, name, _), v in zip(listed, values, strict=True)}
    for place in places:
        yield from place.pairs([given[id(place), name] for name in place.weights])
