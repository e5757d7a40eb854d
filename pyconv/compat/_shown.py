"""What a model shows: layers and models as its user put them together.

Within, models and layers that are made of layers are taken apart: their layers are the network's.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pyconv._stack import Stack
from pyconv.compat._functional import WiredCall, steps_between
from pyconv.compat._links import Links
from pyconv.compat._tensor import Tensor
from pyconv.layers.graph import flat
from pyconv.layers.layer import Layer


def unique(found: Any) -> list[Any]:
    """Return the objects, each once."""
    return list({id(one): one for one in found}.values())


def owners(starts: Sequence[Tensor], ends: Sequence[Tensor]) -> list[Any]:
    """Return the layers and models between tensors, in Keras's order, each once."""
    steps = steps_between(starts, ends)
    own = set(starts)
    return unique(
        step.owner if isinstance(step, WiredCall) else step.layer
        for step in steps
        if step not in own
    )


# Attributes of the library's own that hold layers.
_OF_MODELS = frozenset(
    [
        "_added", "_constrained", "_ends", "_factorable", "_flags", "_given_arguments",
        "_graph_steps", "_input", "_last_call", "_layers", "_linked", "_outputs", "_own",
        "_penalized", "_predictor", "_put", "_starts", "_steps_made", "_steps_of",
        "_steps_spanned", "_tensors", "_values", "_whole",
    ]
)  # fmt: skip


class Shown(Links):
    """A model whose weights are in the order of the layers and models that it shows."""

    def _members(self) -> list[Any]:
        """Return the layers and models as the user put them together."""
        return flat(self._layers)

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """Return the model and all layers and models within, each once."""
        found: list[Any] = [self] if include_self else []
        for member in self.layers:
            within: Any = getattr(member, "_flatten_layers", None) if recursive else None
            found += [member] if within is None else within()
        return unique(found)

    @property
    def operations(self) -> list[Any]:
        """The inputs, and the layers and models that were called, in Keras's order."""
        return list(self.layers)

    _operations = operations

    def own_attributes(self) -> dict[str, Any]:
        """Return the attributes that the user has given the model."""
        if type(self).__module__.startswith("pyconv."):
            return {}
        return {name: value for name, value in vars(self).items() if name not in _OF_MODELS}

    def file_places(self, as_network: bool = False) -> list[Any]:
        """Return where Keras 3's files have the weights of each layer."""
        from pyconv.compat import _places

        return _places.places(self, as_network)

    def file_members(self, as_network: bool = False) -> list[Any]:
        """Return the layers and models in order, as files have them."""
        from pyconv.compat import _places

        return _places.members(self, as_network)

    def _members_of_network(self) -> list[Any]:
        """Return the layers and models of the network that the model is."""
        return self._members()

    def _is_nested(self) -> bool:
        """Whether a member is made of layers of its own."""
        running = set(map(id, flat(self._layers)))
        return any(id(member) not in running for member in self._members())

    def _has_other_order(self) -> bool:
        """Whether members are in another order than the layers that do the work."""
        return list(map(id, self._members())) != list(map(id, flat(self._layers)))

    @property
    def weights(self) -> list[Any]:
        """All weights: the layers' own arrays, not copies."""
        if not self._has_other_order():
            return super().weights
        if self._is_listing:  # a layer may have its model as an attribute
            return []
        self._is_listing = True
        try:
            return unique(weight for member in self._members() for weight in member.weights)
        finally:
            self._is_listing = False

    _is_listing = False

    variables = weights

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The weights that training leaves as they are."""
        if not self._has_other_order() or not self.trainable:
            return self.weights if not self.trainable else super().non_trainable_weights
        trained = set(map(id, super()._params()))
        return [weight for weight in self.weights if id(weight) not in trained]

    non_trainable_variables = non_trainable_weights

    def _places_of_params(self, params: list[Any]) -> list[int] | None:
        """Return the order in which Keras has these weights, None where it is theirs."""
        if not self._has_other_order():
            return None
        ranks = {id(weight): rank for rank, weight in enumerate(self.weights)}
        last = len(ranks)
        order = sorted(range(len(params)), key=lambda i: ranks.get(id(params[i]), last))
        return None if order == list(range(len(params))) else order

    def _params(self) -> list[Any]:
        params = super()._params()
        order = self._places_of_params(params)
        return params if order is None else [params[i] for i in order]

    def _grads(self) -> list[Any]:
        grads = super()._grads()
        order = self._places_of_params(super()._params())
        return grads if order is None else [grads[i] for i in order]

    def set_weights(self, weights: Any) -> None:
        """Copy ``weights``, a list as ``get_weights`` returns, into the layers."""
        own = self.weights
        if (
            isinstance(weights, (list, tuple))
            and len(weights) == len(own)
            and self._has_other_order()
        ):
            given = dict(zip(map(id, own), weights, strict=True))
            running = [weight for layer in self._layers for weight in layer.weights]
            weights = [given[id(weight)] for weight in running]
        super().set_weights(weights)


def all_layers(members: Sequence[Any]) -> Iterator[Layer]:
    """Give the layers, with those of models in their places."""
    for member in members:
        if isinstance(member, Stack):
            yield from all_layers(member.layers)
        else:
            yield member
