"""The models of Keras's functional API."""

from typing import Any, NoReturn

from pyconv._types import Array, Shape
from pyconv.compat import _classes, _era
from pyconv.compat._functional import Tensor, connected, nodes_between, tensor_of
from pyconv.compat._model import Sequential
from pyconv.layers._augmentation import Augmentation, leading
from pyconv.layers.graph import Graph, blocks, flat
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer


class Functional(Sequential):
    """A model of layers that were called on an ``Input`` and on each other's results.

    It is a ``Sequential`` with a ``Graph`` where layers branch; ``layers`` are all of them, with
    the input, as Keras has them.
    """

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        if name is None and _era.is_keras2():
            name = _classes.old_name("Model")
        elif name is None:
            name = _classes.auto_name("Functional")
        super().__init__(layers, trainable, name)

    @property
    def layers(self) -> list[Layer]:
        """The input and all layers, in Keras's order."""
        self._link()
        return [*([self._input] if self._input else []), *flat(self._layers)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer of this name, or at this index of ``layers``."""
        layers = self.layers
        if name is None and isinstance(index, int) and -len(layers) <= index < len(layers):
            return layers[index]
        found = [layer for layer in layers if layer.name == name]
        return found[0] if found and index is None else super().get_layer(name, index)

    def _leading_augmentation(self, input_shape: Shape) -> list[Augmentation]:
        return leading(self._layers[:-1], input_shape)


def functional(inputs: Any, outputs: Any, name: str | None = None) -> Any:
    """Return the model between an ``Input`` and what was made of it.

    Raises:
        NotImplementedError: there are several inputs, or a layer is used twice.
        ValueError: the output is not made of the input.
    """
    start, ends = _single("input", inputs), outputs
    if isinstance(ends, (list, tuple)) and len(ends) > 1:
        return SeveralOutputs([functional(start, end, name) for end in ends], name)
    end = connected(start, _single("output", ends))
    nodes = nodes_between(start, end)
    first = start.layer
    if not isinstance(first, InputLayer):
        first = InputLayer(batch_shape=start.shape)
    made = Functional([first, *blocks(nodes)], name=name)
    made._take_links(start, end)
    return made


class SeveralOutputs:
    """A model of several outputs, which predicts and cannot be trained.

    Args:
        models: a model of each output.
        name: its name.
    """

    def __init__(self, models: list[Functional], name: str | None = None) -> None:
        self.models = models
        self.name = name

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> list[Array]:
        """Return the outputs, a list of arrays."""
        return [model.predict(x, *args, **kwargs) for model in self.models]

    def __call__(self, x: Any, training: bool = False) -> list[Array]:
        """Return the outputs for a batch, a list of arrays."""
        return [model(x, training) for model in self.models]

    @property
    def output_shape(self) -> list[Shape]:
        """The shapes of the outputs."""
        return [model.output_shape for model in self.models]

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"keras.Model: it has {len(self.models)} outputs, so that it can predict, but not be "
            "trained: pyconv's models train one output; train one model for each"
        )

    compile = fit = evaluate = fit_generator = train_on_batch = _refuse


def is_functional(stack: list[Layer]) -> bool:
    """Whether layers branch."""
    return any(isinstance(layer, Graph) for layer in stack)


def _single(what: str, given: Any) -> Tensor:
    while isinstance(given, (list, tuple)) and len(given) == 1:
        given = given[0]
    if isinstance(given, dict) and len(given) == 1:
        given = next(iter(given.values()))
    if isinstance(given, (list, tuple, dict)) or given is None:
        got = "none" if not given else f"{len(given)}"
        raise NotImplementedError(
            f"keras.Model: it must be of one Input, and an output made of it layer by layer, got "
            f"{got} for {what}s; a keras.Sequential([...]) is a stack of layers"
        )
    return tensor_of(given)
