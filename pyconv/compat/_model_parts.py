"""What models of one's own hold: layers and models that are their attributes."""

from typing import Any

from pyconv._own_state import is_own
from pyconv._stack import Stack
from pyconv._types import Shape
from pyconv.compat._free_call import FreeCall
from pyconv.compat._graph_model import Functional
from pyconv.compat._tracked import trained_arrays
from pyconv.compat._whole_call import WholeCall
from pyconv.layers.graph import flat
from pyconv.layers.layer import Layer


class HoldsParts(FreeCall, Functional):
    """A model whose layers are attributes; without a ``call``, steps of its own train them."""

    def call(self, inputs: Any) -> Any:
        """Return the output; a model of one's own defines it."""
        raise NotImplementedError(f"{self.label}: it must have a method call(self, inputs)")

    @property
    def _only_holds(self) -> bool:
        """Whether there is no ``call``: steps of the user's own train what are attributes."""
        return type(self).call is HoldsParts.call and not self._layers

    def _parts(self) -> list[Any]:
        """Return the layers and models that are attributes, each once."""
        found: dict[int, Any] = {}
        for value in self.own_attributes().values():
            values = value.values() if isinstance(value, dict) else [value]
            for one in values:
                for part in one if isinstance(one, (list, tuple)) else [one]:
                    if isinstance(part, (Layer, Stack)):
                        found.setdefault(id(part), part)
        return list(found.values())

    @property
    def layers(self) -> list[Any]:
        """The layers and models that are attributes, in the order in which they became so.

        Where the model was made of tensors, the input and all that was called.
        """
        return self._parts() if self._has_call else super().layers

    @property
    def _has_call(self) -> bool:
        return self._only_holds or type(self).call is not HoldsParts.call

    def _members(self) -> list[Any]:
        if not self._has_call or not self._layers:
            return super()._members()
        whole = [layer for layer in self._layers if isinstance(layer, WholeCall)]
        return whole or self._with_others(self._parts())

    def _members_of_network(self) -> list[Any]:
        return super()._members()

    @property
    def is_network(self) -> bool:
        """Whether the layers are all that it does, and not code."""
        runs_call = any(isinstance(layer, WholeCall) for layer in self._layers)
        return bool(self._layers) and not runs_call and not self._says_its_state()

    def _says_its_state(self) -> bool:
        """Whether code of the user's own says what files have of the model itself."""
        return is_own(self, "save_own_variables") or is_own(self, "load_own_variables")

    def own_named_weights(self) -> dict[str, Any]:
        """Return the weights that are the model's own, trained ones first."""
        whole = vars(self).get("_whole")
        return {} if whole is None else dict(whole.own_named_weights())

    def file_order(self) -> list[int] | None:
        """Return the order in which files of the network have what is trained."""
        if not self._has_call or not self._layers or not self.is_network:
            return None
        inner = [place for _, places in self.file_members(True) for place in places]
        ranks = {id(w): i for i, w in enumerate(w for p in inner for w in p.weights.values())}
        params = self._params()
        return sorted(range(len(params)), key=lambda i: ranks.get(id(params[i]), len(ranks)))

    def _with_others(self, parts: list[Any]) -> list[Any]:
        """Return the parts, and layers of the network that no part has: those that a call makes."""
        known = {id(weight) for part in parts for weight in part.weights}
        others = [
            layer
            for layer in flat(self._layers)
            if layer.weights and not known.issuperset(map(id, layer.weights))
        ]
        return [*parts, *others]

    @property
    def weights(self) -> list[Any]:
        """All weights: the layers' own arrays, not copies."""
        if not self._only_holds:
            return super().weights
        return [w for part in self._parts() for w in part.weights]

    variables = weights

    def _params(self) -> list[Any]:
        if not self._only_holds:
            return super()._params()
        return [w for part in self._parts() if part.trainable for w in trained_arrays(part)]

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The weights that training leaves as they are."""
        if not self._only_holds:
            return super().non_trainable_weights
        return [w for part in self._parts() for w in part.non_trainable_weights]

    non_trainable_variables = non_trainable_weights

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output's shape; without a ``call``, that of the last attribute."""
        if self._is_free:
            return (input_shape[0], *self._sizes_of_first)
        if "train" in self._own and self._layers and self._takes_any_batch():
            try:
                return super().compute_output_shape(input_shape)
            except (TypeError, ValueError):  # the step knows what to do with such a batch
                return (input_shape[0], *self.output_shape[1:])
        if not self._only_holds:
            return super().compute_output_shape(input_shape)
        shape = getattr(self._parts()[-1], "output_shape", None) if self._parts() else None
        return tuple(input_shape) if shape is None else (input_shape[0], *shape[1:])
