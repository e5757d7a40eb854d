"""Layers in order: how they are put together and built, and their weights."""

from typing import Any

import numpy as np

from pyconv._args import ArgumentTypeError, bool_arg, int_arg
from pyconv._names import auto_name, check_name
from pyconv._own_state import OwnState
from pyconv._types import Array, Shape
from pyconv.layers._arguments import shape_arg
from pyconv.layers._masks import link, source_behind
from pyconv.layers.graph import unfolded
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer
from pyconv.layers.masking import Masking


class Stack(OwnState):
    """Layers, each taking the result of the one before; see ``Sequential``."""

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        self.name = auto_name("Sequential") if name is None else check_name("Sequential", name)
        self._trainable = bool_arg(self.label, "trainable", trainable)
        self._layers: list[Layer] = []
        self._input: InputLayer | None = None
        if layers is not None and not isinstance(layers, (list, tuple)):
            raise TypeError(
                f"{self.label}: layers must be a list of layers, got a {type(layers).__name__}"
            )
        for layer in layers or []:
            self.add(layer, rebuild=False)
        self._build_if_known()

    @property
    def trainable(self) -> bool:
        """Whether training changes weights; setting it sets that of each layer, as in Keras.

        It is to be set before ``compile``.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool_arg(self.label, "trainable", value)
        for layer in self._layers:
            layer.trainable = self._trainable

    # --- the stack ----------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the ``Input``."""
        return self.running_layers

    @property
    def running_layers(self) -> list[Layer]:
        """The layers that do the work, also where ``layers`` shows models of several of them."""
        return list(self._layers)

    def add(self, layer: "Layer | Stack", rebuild: bool = True) -> None:
        """Put a layer on top, or the layers of a model, which the two models then share.

        Raises:
            TypeError: ``layer`` is neither.
            ValueError: its name is taken, it is a second Input, or shapes do not fit; the model
                is left as it was.
        """
        if isinstance(layer, Stack):
            self._add_layers(layer, rebuild)
            return
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(
                f"{self.label}: add wants a layer, got a {type(layer).__name__}. Only instances of "
                "Layer can be added"
            )
        self._check_name(layer)
        if isinstance(layer, InputLayer):
            if self._input is not None or self._layers:
                had = ""
                if self._input is not None:
                    had = f"it has already been configured to use {self._input.batch_shape}; "
                raise ValueError(
                    f"{self.label}: {had}an Input must be the first layer, and the only one"
                )
            self._input = layer
            return
        self._layers.append(layer)
        if not rebuild:
            return
        try:
            self._build_if_known()
        except BaseException:
            self._layers.pop()
            raise

    def _check_name(self, layer: Layer) -> None:
        if any(layer is other for other in self._layers):
            raise ValueError(
                f"{self.label}: it has {layer.label} already; a layer keeps what its gradient "
                "needs, so that a stack can have it once: make another one"
            )
        if any(layer.name == other.name for other in self._layers):
            raise ValueError(
                f"{self.label}: it has a layer named {layer.name!r} already; layers should "
                "have unique names: give the new one another name"
            )

    def _add_layers(self, other: "Stack", rebuild: bool) -> None:
        had, before = list(self._layers), self._input
        try:
            if not had and self._input is None:
                self._input = other._input
            for layer in other._layers:
                self.add(layer, rebuild)
        except BaseException:
            self._layers, self._input = had, before
            raise

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the top layer off and return it.

        Raises:
            ValueError: there is none.
        """
        if not self._layers:
            raise ValueError(f"{self.label}: there is no layer to pop")
        return self._layers.pop()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer of this name, or at this index.

        Raises:
            TypeError: ``index`` is not an integer.
            ValueError: there is none, or not exactly one of the two is given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"{self.label}: get_layer wants a name or an index")
        if index is not None:
            count = len(self._layers)
            return self._layers[int_arg(self.label, "index", index, -count, count - 1)]
        for layer in self._layers:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in self._layers)
        raise ValueError(f"{self.label}: there is no layer named {name!r}; there are: {known}")

    # --- building -------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """What errors call the model."""
        return f"Sequential {self.name!r}"

    @property
    def built(self) -> bool:
        """Whether all layers have their weights."""
        return bool(self._layers) and all(la.knows_shape for la in self._layers)

    @property
    def knows_shape(self) -> bool:
        """Whether the shapes are known, as of a layer."""
        return self.built

    def build(self, input_shape: Any = None) -> None:
        """Create the weights for inputs of ``input_shape``, the batch (or None) first.

        Raises:
            ValueError: no shape is known, or a layer does not take its input; the model is left
                as it was.
        """
        if input_shape is None:
            if self._declared_shape() is None:
                raise ValueError(
                    f"{self.label}: build needs input_shape, such as (None, 32, 32, 3)"
                )
            self._build_if_known()
            return
        shape = shape_arg(self.label, "input_shape", input_shape)
        self._output_shape_of(shape)
        fresh = [layer for layer in self._layers if not layer.knows_shape]
        try:
            for layer in self._layers:
                layer.build(shape)
                shape = layer.output_shape
        except BaseException:
            for layer in fresh:
                layer.unbuild()
            raise
        self._link_masks()

    def _link_masks(self) -> None:
        nodes = unfolded(self._layers)
        if any(isinstance(layer, Masking) for layer, _ in nodes):
            link(nodes)

    def _output_mask(self) -> Any:
        """Return which steps of the last forward's output count; None where all do."""
        source = source_behind(self._layers[-1]) if self._layers else None
        return None if source is None else source.mask

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape that an input of ``input_shape``, the batch first, gives.

        Raises:
            TypeError: ``input_shape`` is not a tuple of sizes.
            ValueError: a layer does not take its input.
        """
        return self._output_shape_of(shape_arg(self.label, "input_shape", input_shape))

    @property
    def input_shape(self) -> Shape:
        """Shape of the input, the batch first; AttributeError before the model is built."""
        return self._outer_layer(0).input_shape

    @property
    def input_rank(self) -> int | None:
        """Number of axes of the input, the batch's too; None before the model is built."""
        return len(self.input_shape) if self.built else None

    @property
    def output_shape(self) -> Shape:
        """Shape of the output, the batch first; AttributeError before the model is built."""
        return self._outer_layer(-1).output_shape

    def _outer_layer(self, index: int) -> Layer:
        if not self._layers:
            # Not a ValueError: hasattr is to say no.
            raise AttributeError(f"{self.label}: it has no layers; add some first")
        return self._layers[index]

    def _output_shape_of(self, shape: Shape) -> Shape:
        for layer in self._layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def _declared_shape(self) -> Shape | None:
        if self._input is not None:
            return self._input.batch_shape
        if self._layers and self._layers[0].declared_shape is not None:
            return self._layers[0].declared_shape
        return None

    def _build_if_known(self) -> None:
        shape = self._declared_shape()
        if shape is not None and self._layers:
            self.build(shape)
        elif self._layers and self._layers[0].knows_shape:
            self.build(self._layers[0].input_shape)

    def _ensure_built(self, input_shape: tuple[int, ...]) -> None:
        self._require_layers()
        if not self.built:
            self.build((None, *input_shape))
        elif input_shape != self.input_shape[1:]:
            self._output_shape_of((None, *input_shape))

    def _require_layers(self) -> None:
        if not self._layers:
            raise ValueError(f"{self.label}: it has no layers; add some first")

    # --- weights --------------------------------------------------------------------------------

    @property
    def weights(self) -> list[Array]:
        """All weights: the layers' own arrays, not copies."""
        return [w for layer in self._layers for w in layer.weights]

    @property
    def trainable_weights(self) -> list[Array]:
        """The weights that training changes."""
        return self._params()

    @property
    def non_trainable_weights(self) -> list[Array]:
        """The weights that training leaves as they are."""
        if not self.trainable:
            return self.weights
        return [w for layer in self._layers for w in layer.non_trainable_weights]

    # Keras's other names of them.
    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def losses(self) -> list[float]:
        """The penalties of the layers' regularizers, of results as of the last call."""
        return [value for layer in self._layers for value in layer.losses]

    def count_params(self) -> int:
        """Return how many numbers the weights hold.

        Raises:
            ValueError: the model is not built yet.
        """
        if not self.built:
            raise ValueError(
                f"{self.label}: count_params needs a built model; call build(input_shape) first"
            )
        return sum(layer.count_params() for layer in self._layers)

    def get_weights(self) -> list[Array]:
        """Return copies of the weights, layer by layer."""
        return [np.array(w) for w in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Copy ``weights``, a list as ``get_weights`` returns, into the layers.

        Raises:
            TypeError: ``weights`` is not a list of arrays.
            ValueError: there are too many or too few, or a shape is wrong; none is changed.
        """
        if not isinstance(weights, (list, tuple)):
            raise TypeError(
                f"{self.label}: weights must be a list of arrays, got a {type(weights).__name__}"
            )
        if len(weights) != len(self.weights):
            hint = "" if self.built else "; it is not built: call build(input_shape) first"
            raise ValueError(
                f"{self.label}: set_weights got {len(weights)} arrays, but the model has "
                f"{len(self.weights)}{hint}"
            )
        pairs, at = [], 0
        for layer in self._layers:
            count = len(layer.weights)
            pairs += layer.checked_weights(list(weights[at : at + count]))
            at += count
        for target, value in pairs:
            target[...] = value

    def _trained(self) -> list[Layer]:
        return [layer for layer in self._layers if layer.trainable] if self.trainable else []

    def _params(self) -> list[Array]:
        return [w for layer in self._trained() for w in layer.params]

    def _grads(self) -> list[Any]:
        return [g for layer in self._trained() if layer.params for g in layer.update_grads]

    def _param_names(self) -> list[str]:
        names = {
            id(weight): f"{layer.name}/{name}"
            for layer in self._layers
            for name, weight in layer.named_weights.items()
        }
        return [names[id(param)] for param in self._params()]
