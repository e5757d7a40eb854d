"""The tensors between the layers of a model."""

from typing import Any

from pyconv.compat._functional import applied
from pyconv.compat._tensor import Tensor, keep_in_model, tensor_of
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer
from pyconv.model import Sequential


class Links(Sequential):
    """A model whose layers have Keras's ``input`` and ``output``."""

    _linked: list[Layer] | None = None  # the layers for which the tensors hold
    _ends: tuple[Tensor, Tensor] | None = None

    def _link(self) -> None:
        """Give the layers their ``input`` and ``output``, once the shape of the input is known."""
        if self._linked == self._layers or not self.built:
            return
        if self._input is None:
            self._input = InputLayer(batch_shape=self.input_shape, name=f"{self.name}_input")
        start = tensor_of(self._input)
        self._take_links(start, self._linked_from(start))

    def _linked_from(self, start: Tensor) -> Tensor:
        """Return what the layers make of ``start``, each with its ``input`` and ``output``."""
        return applied(self._layers, start, True)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy keeps: it makes tensors of its own."""
        gone = ("_linked", "_ends", "_last_call")
        return {name: value for name, value in vars(self).items() if name not in gone}

    def _take_links(self, start: Tensor, end: Tensor) -> None:
        """Have the tensors of a network that is called already."""
        self._linked, self._ends = list(self._layers), (start, end)
        keep_in_model(end)

    @property
    def running_layers(self) -> list[Layer]:
        """The layers that do the work, in order, without the input."""
        self._link()
        return super().running_layers

    @property
    def input(self) -> Any:
        """The tensor of the input; AttributeError before the model is built."""
        return self._end(0)

    @property
    def output(self) -> Any:
        """The tensor of the output; AttributeError before the model is built."""
        return self._end(1)

    @property
    def inputs(self) -> list[Any]:
        """The tensor of the input, in a list."""
        return [self.input]

    @property
    def outputs(self) -> list[Any]:
        """The tensor of the output, in a list."""
        return [self.output]

    def _end(self, index: int) -> Tensor:
        self._link()
        if self._ends is None:
            raise AttributeError(
                f"{self.label}: it has tensors once the shape of its input is known; give the "
                "first layer input_shape"
            )
        return self._ends[index]
