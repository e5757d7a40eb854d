"""Models by subclassing ``keras.Model``."""

from typing import Any

from pyconv._types import Shape
from pyconv.compat import _classes, _era
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


class OwnModel(Functional):
    """A model whose ``call`` says what its layers, attributes of it, do with the input.

    The call is followed once, with a tensor that stands for the input, when the model first sees
    data: what it does must not depend on the data, and must be done by layers.
    """

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None) -> None:
        if name is None:
            count = _classes.old_name if _era.is_keras2() else _classes.auto_name
            name = count(type(self).__name__)
        super().__init__(None, name=name)
        if inputs is not None and outputs is not None:
            start = tensor_of(inputs)
            self._take(start, connected(start, tensor_of(outputs)))

    def call(self, inputs: Any) -> Any:
        """Return the output; a model of one's own defines it."""
        raise NotImplementedError(f"{self.label}: it must have a method call(self, inputs)")

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
