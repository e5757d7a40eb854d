"""What a layer of the user's own has among its attributes: layers, variables, seeds, metrics."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import bool_arg
from pyconv._names import free_name
from pyconv._stack import Stack
from pyconv.compat._autodiff import Taped
from pyconv.layers._arguments import stored_weight
from pyconv.layers._weights import trained_first
from pyconv.layers.layer import Layer
from pyconv.metrics.metric import Metric
from pyconv.variable import Variable

# Attributes of the library's own.
NOT_TRACKED = frozenset(
    ["_given", "_weights", "_grads", "input", "mask_source", "output", "tensors"]
)


def as_weight(value: Any) -> Any:
    """Return a ``tf.Variable`` of floats as a weight that shares its numbers; all else as it is."""
    if not (isinstance(value, Taped) and type(value).__name__ == "Variable"):
        return value
    plain = np.asarray(value)
    if plain.dtype != np.float32:
        return value
    known: Any = vars(value).get("as_weight")
    if known is None:
        known = plain.view(Variable)
        own: Any = value
        known.name, known.trainable, own.as_weight = own.name, own.trainable, known
    return known


class Tracked:
    """A layer whose weights are also those of the layers that it holds, as in Keras."""

    _forgotten: frozenset[int] = frozenset()  # variables that are not tracked any more
    _given: Any = None  # weights of a file

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a variable of TensorFlow's is a weight of the layer then."""
        super().__setattr__(name, as_weight(value))

    def _attributes(self, kind: Any) -> Iterator[Any]:
        """Give the objects of a kind, also in lists, tuples and dicts, each once."""
        seen: set[int] = set()
        for name, value in list(vars(self).items()):
            if name in NOT_TRACKED:
                continue
            for leaf in held(value):
                if isinstance(leaf, kind) and id(leaf) not in seen:
                    seen.add(id(leaf))
                    yield leaf

    @property
    def _layers(self) -> list[Any]:
        return list(self._attributes((Layer, Stack)))

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> Iterator[Any]:
        """Give the layer and all within."""
        if include_self:
            yield self
        for layer in self._layers:
            if recursive and hasattr(layer, "_flatten_layers"):
                yield from layer._flatten_layers()
            else:
                yield layer

    def _loose_variables(self: Any) -> list[Any]:
        """Return the variables that are attributes and not of ``add_weight``."""
        own = set(map(id, self._weights.values())) | self._forgotten
        return [found for found in self._attributes(Variable) if id(found) not in own]

    @property
    def trainable(self) -> bool:
        """Whether training changes weights; setting it sets that of the layers within."""
        return bool(vars(self)["_trainable"])

    @trainable.setter
    def trainable(self: Any, value: Any) -> None:
        vars(self)["_trainable"] = bool_arg(type(self).__name__, "trainable", value)
        for name, weight in vars(self).get("_weights", {}).items():
            if name not in self._untrained and isinstance(weight, Variable):
                weight.trainable = value
        for layer in self._layers:
            layer.trainable = value

    # --- weights ------------------------------------------------------------------------------

    @property
    def params(self: Any) -> list[Any]:
        """The arrays that training changes, unless ``trainable`` is False."""
        within = [w for layer in self._layers if layer.trainable for w in trained_arrays(layer)]
        loose = [found for found in self._loose_variables() if found.trainable]
        return _unique([*super().params, *loose, *within])  # type: ignore[misc]

    @property
    def grads(self: Any) -> list[Any]:
        """The gradients of ``params``, in the same order, as the last ``backward`` left them."""
        params = self.params
        if [grad.shape for grad in self._grads] != [weight.shape for weight in params]:
            self._grads = [backend.zeros(weight.shape, np.float32) for weight in params]
        return list(self._grads)

    def own_named_weights(self: Any) -> dict[str, Any]:
        """Return the weights of the layer itself by name, those that are to be trained first."""
        named: dict[str, Any] = dict(self._weights)
        untrained = set(self._untrained)
        for found in self._loose_variables():
            name = free_name(found.name, named)
            named[name] = found
            if not found.trainable:
                untrained.add(name)
        return trained_first(named, untrained)

    @property
    def named_weights(self: Any) -> dict[str, Any]:
        """All weights by name, those of the layers within behind their layer's name."""
        named: dict[str, Any] = self.own_named_weights()
        for layer in self._layers:
            for name, weight in zip(_names(layer), layer.weights, strict=True):
                named[free_name(f"{layer.name}/{name}", named)] = weight
        return named

    @property
    def weights(self: Any) -> list[Any]:
        """All weights, each once."""
        return _unique(self.named_weights.values())

    @property
    def trainable_weights(self: Any) -> list[Any]:
        """The weights that training changes."""
        return self.params if self.trainable else []

    @property
    def non_trainable_weights(self: Any) -> list[Any]:
        """The weights that training leaves as they are."""
        if not self.trainable:
            return list(self.weights)
        own = [w for name, w in self._weights.items() if name in self._untrained]
        loose = [found for found in self._loose_variables() if not found.trainable]
        return _unique([*own, *loose, *_of_all(self, "non_trainable_weights")])

    def give_weights(self, weights: Any) -> None:
        """Keep the arrays until all weights are there: those of the layers within too."""
        self._given = weights

    def file_places(self, path: str, in_order: bool = False) -> list[Any]:
        """Return where files have the weights, those of the layers within too."""
        from pyconv.compat import _places

        return _places.places_within(self, path, in_order)

    def take_given_weights(self: Any) -> None:
        """Take up what ``give_weights`` gave."""
        given, self._given = self._given, None
        if given is None or not self.built:
            return
        for name, weight in self.named_weights.items():
            weight[...] = stored_weight(self.label, name, weight.shape, given)

    # --- penalties ----------------------------------------------------------------------------

    def _penalized(self: Any) -> list[Any]:
        """Return the layers with regularizers of weights, this one and those within."""
        found = _unique(layer for layer in self._flatten_layers() if isinstance(layer, Layer))
        return [layer for layer in found if layer.weight_regularizers]

    @property
    def has_penalties(self: Any) -> bool:
        """Whether training adds something to the loss for the layer."""
        return self.activity_regularizer is not None or bool(self._penalized())

    def penalties_in_training(self: Any) -> list[float]:
        """Return the penalties of the weights that training changes, also of layers within."""
        return [value for layer in self._penalized() for value in layer.weight_penalties()]

    def add_penalty_gradients(self: Any, scale: float = 1.0) -> None:
        """Add the gradients of the weights' penalties to ``grads``."""
        grads = {id(weight): grad for weight, grad in zip(self.params, self.grads, strict=True)}
        for layer in self._penalized():
            for name, regularizer in layer.weight_regularizers.items():
                weight = layer._weights.get(name)
                if id(weight) in grads:
                    slope = np.asarray(regularizer.gradient(np.asarray(weight)), np.float32)
                    grads[id(weight)] += backend.on_device(slope * np.float32(scale))

    @property
    def _seeds(self: Any) -> list[Any]:
        """The states of the seeds, here and within."""
        from pyconv.compat.keras.random import SeedGenerator

        own = [seed.state for seed in self._attributes(SeedGenerator)]
        return _unique([*own, *_of_all(self, "_seeds")])

    @property
    def variables(self) -> list[Any]:
        """The weights, and the states of seeds."""
        return [*self.weights, *self._seeds]

    @property
    def trainable_variables(self) -> list[Any]:
        """The weights that training changes."""
        return list(self.trainable_weights)

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The weights that training leaves as they are, and the states of seeds."""
        return [*self.non_trainable_weights, *self._seeds]

    @property
    def metrics(self) -> list[Any]:
        """The metrics, here and within."""
        return _unique([*self._attributes(Metric), *_of_all(self, "metrics")])

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of the metrics."""
        return [found for metric in self.metrics for found in metric.variables]


def held(value: Any, around: tuple[int, ...] = ()) -> Iterator[Any]:
    """Give what is in lists, tuples and dicts, which may hold each other."""
    if not isinstance(value, (dict, list, tuple)):
        yield value
    elif id(value) not in around:
        for part in value.values() if isinstance(value, dict) else value:
            yield from held(part, (*around, id(value)))


def trained_arrays(layer: Any) -> list[Any]:
    """Return what training changes of a layer, or of a model: also under a tape the arrays."""
    return list(layer.params if hasattr(layer, "params") else layer._params())


def _of_all(owner: Any, name: str) -> list[Any]:
    """Return what the layers within have by this name, in one list."""
    return [found for layer in owner._layers for found in getattr(layer, name, ())]


def _unique(found: Any) -> list[Any]:
    return list({id(one): one for one in found}.values())


def _names(layer: Any) -> list[str]:
    if hasattr(layer, "named_weights"):
        return list(layer.named_weights)
    return [str(i) for i in range(len(layer.weights))]
