"""Models by subclassing ``keras.Model``."""

from typing import Any

from pyconv._stack import Stack
from pyconv._types import Shape
from pyconv.compat import _classes, _era
from pyconv.compat._auto_config import completed
from pyconv.compat._functional import (
    Tensor,
    applied,
    connected,
    nodes_between,
    tensor_of,
    tensors_of,
)
from pyconv.compat._graph_model import Functional
from pyconv.compat._traced import composed_of
from pyconv.layers.graph import blocks
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer


class OwnModel(Functional):
    """A model whose ``call`` says what its layers, attributes of it, do with the input.

    The call is followed once, with a tensor that stands for the input, when the model first sees
    data: what it does must not depend on the data, and must be done by layers.
    """

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
    ) -> None:
        if name is None:
            count = _classes.old_name if _era.is_keras2() else _classes.auto_name
            name = count(type(self).__name__)
        super().__init__(None, trainable, name)
        if inputs is not None and outputs is not None:
            start = tensor_of(inputs)
            self._take(start, connected(start, tensor_of(outputs)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, where they are plain data and there is a ``call``."""
        if type(self).call is OwnModel.call:
            return super().get_config()
        named = {"name": self.name, "trainable": self.trainable}
        return completed(self, named) if vars(self).get("_given_arguments") else named

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None, weights: Any = None
    ) -> Any:
        """Return a new model of what ``get_config`` returned."""
        if isinstance(config, dict) and not isinstance(config.get("layers"), list):
            return cls(**config)
        return super().from_config(config, custom_objects, weights)

    def call(self, inputs: Any) -> Any:
        """Return the output; a model of one's own defines it."""
        raise NotImplementedError(f"{self.label}: it must have a method call(self, inputs)")

    # --- models that only hold others -----------------------------------------------------------

    @property
    def _only_holds(self) -> bool:
        """Whether there is no ``call``: steps of the user's own train what are attributes."""
        return type(self).call is OwnModel.call and not self._layers

    def _parts(self) -> list[Any]:
        """Return the layers and models that are attributes, each once."""
        found: dict[int, Any] = {}
        for name, value in vars(self).items():
            if name.startswith("_"):
                continue
            values = value.values() if isinstance(value, dict) else [value]
            for one in values:
                for part in one if isinstance(one, (list, tuple)) else [one]:
                    if isinstance(part, (Layer, Stack)):
                        found.setdefault(id(part), part)
        return list(found.values())

    @property
    def layers(self) -> list[Any]:
        """The input and all layers, in Keras's order; without a ``call``, the attributes."""
        return self._parts() if self._only_holds else super().layers

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
        return [w for part in self._parts() for w in part.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The weights that training leaves as they are."""
        if not self._only_holds:
            return super().non_trainable_weights
        return [w for part in self._parts() for w in part.non_trainable_weights]

    non_trainable_variables = non_trainable_weights

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output's shape; without a ``call``, that of the last attribute."""
        if not self._only_holds:
            return super().compute_output_shape(input_shape)
        shape = getattr(self._parts()[-1], "output_shape", None) if self._parts() else None
        return tuple(input_shape) if shape is None else (input_shape[0], *shape[1:])

    # --------------------------------------------------------------------------------------------

    def build(self, input_shape: Any = None) -> None:
        """Follow the call for inputs of ``input_shape``, the batch (or None) first, and build."""
        if not self._layers and input_shape is not None:
            shape: Shape = tuple(input_shape)
            ends = composed_of(self, shape)
            if ends is None:
                error = getattr(self, "not_followed", None)
                raise NotImplementedError(
                    f"{self.label}: its call does something to its input that cannot be followed "
                    f"({error}); call layers, functions of keras.ops, tf or numpy, or write a "
                    "keras.layers.Layer with forward and backward"
                ) from error
            self._take(*ends)
        super().build(input_shape)

    def _take(self, start: Tensor, end: Tensor) -> None:
        """Be the network between two tensors."""
        assert isinstance(start.layer, InputLayer)
        self._input, self._layers = start.layer, blocks(nodes_between(start, end))
        self.build(start.shape)
        self._take_links(start, end)

    def _ensure_built(self, input_shape: tuple[int, ...]) -> None:
        if self._only_holds and "train" in self._own:
            return
        if not self._layers:
            self.build((None, *input_shape))
        super()._ensure_built(input_shape)

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Return the output for a batch; for what came of an ``Input``, the layers' tensor."""
        tensors = tensors_of(x)
        if tensors is None:
            return super().__call__(x, training)
        if not self._layers:
            self.build(tensors[0].shape)
        return applied(self._layers, tensors[0], False)
