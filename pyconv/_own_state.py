"""What a layer or model writes to files of Keras 3 itself: the methods that a subclass may change.

Source: Keras 3's guide "Customizing Saving and Serialization".
"""

from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np


class OwnState:
    """The weights and the shapes that a layer or model has in files."""

    def own_named_weights(self) -> dict[str, Any]:
        """Return the weights by name without those of layers within, trained ones first."""
        return {}

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the weights of this object alone into ``store``, by their number: '0', '1'.

        Keras's format calls it where a ``.keras`` or ``.weights.h5`` file is written. A subclass
        may put other arrays there, by names of its choice.

        Example:
            >>> import pyconv
            >>> layer, store = pyconv.layers.Dense(2), {}
            >>> layer.build((None, 3))
            >>> layer.save_own_variables(store)
            >>> {name: array.shape for name, array in store.items()}
            {'0': (3, 2), '1': (2,)}
        """
        for i, weight in enumerate(self.own_named_weights().values()):
            store[str(i)] = np.asarray(weight)

    def load_own_variables(self: Any, store: Mapping[str, Any]) -> None:
        """Take the weights of this object alone from what ``save_own_variables`` filled.

        Raises:
            ValueError: there are more or fewer, or one has another shape.

        Example:
            >>> import numpy as np, pyconv
            >>> layer = pyconv.layers.Dense(2)
            >>> layer.build((None, 3))
            >>> layer.load_own_variables({"0": np.ones((3, 2)), "1": np.zeros(2)})
            >>> float(layer.kernel.sum())
            6.0
        """
        own = self.own_named_weights()
        if set(store.keys()) != set(map(str, range(len(own)))):
            raise ValueError(
                f"{self.label}: Layer expected {len(own)} variables, but received "
                f"{len(store.keys())} variables during loading. Expected: {list(own)}, got: "
                f"{sorted(store.keys())}"
            )
        values = [np.asarray(store[str(i)]) for i in range(len(own))]
        for (name, weight), value in zip(own.items(), values, strict=True):
            if value.shape != weight.shape:
                raise ValueError(
                    f"{self.label}: {name} must be {weight.shape}, got {value.shape}; the shapes "
                    "of the file and of the layer must match"
                )
        for weight, value in self.own_pairs(values):
            weight[...] = value

    def own_pairs(self: Any, values: list[Any]) -> list[tuple[Any, Any]]:
        """Return (an array, its new values) for those of ``own_named_weights``."""
        if hasattr(self, "pairs_of_files") and not hasattr(self, "_layers"):
            return list(self.pairs_of_files(values))
        return list(zip(self.own_named_weights().values(), values, strict=True))

    def get_build_config(self) -> dict[str, Any] | None:
        """Return what ``build_from_config`` needs, None before the layer is built.

        Example:
            >>> import pyconv
            >>> layer = pyconv.layers.Dense(2)
            >>> layer.build((None, 3))
            >>> layer.get_build_config()
            {'input_shape': (None, 3)}
        """
        shape = getattr(self, "input_shape", None) if getattr(self, "built", False) else None
        return None if shape is None else {"input_shape": shape}

    def build_from_config(self: Any, config: Mapping[str, Any] | None) -> None:
        """Make the weights as ``get_build_config`` says.

        Example:
            >>> import pyconv
            >>> layer = pyconv.layers.Dense(2)
            >>> layer.build_from_config({"input_shape": [None, 3]})
            >>> layer.built
            True
        """
        if not config:
            return
        shape = config.get("input_shape")
        if isinstance(shape, (list, tuple)):
            self.build(tuple(shape))
        elif isinstance(config.get("shapes_dict"), Mapping):
            self.build(**config["shapes_dict"])


def build_by_config(owner: Any, description: Mapping[str, Any]) -> bool:
    """Run a ``build_from_config`` of the user's own, where a description has something for it.

    Returns:
        Whether it has run.
    """
    from pyconv.serialization import deserialize_keras_object

    build = description.get("build_config")
    if not is_own(owner, "build_from_config") or not isinstance(build, Mapping):
        return False
    owner.build_from_config(deserialize_keras_object(dict(build)))
    return True


def is_own(owner: Any, method: str) -> bool:
    """Whether a method is the user's own, and not the library's."""
    found = getattr(type(owner), method, None)
    return found is not None and not getattr(found, "__module__", "pyconv.").startswith("pyconv.")
