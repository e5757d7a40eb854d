"""The models of Keras's functional API."""

from typing import Any

import numpy as np

from pyconv._args import in_other_words
from pyconv._types import Shape
from pyconv.compat import _classes, _era
from pyconv.compat._added_losses import AddedLosses
from pyconv.compat._functional import WiredCall, connected, network, nodes_between, steps_between
from pyconv.compat._model import of_rank
from pyconv.compat._recording import is_recorded
from pyconv.compat._shown import owners
from pyconv.compat._tensor import Tensor, tensor_of, tensors_of
from pyconv.compat._trees import leaves, mapped, paths
from pyconv.layers._augmentation import Augmentation, leading
from pyconv.layers._merge import Merge
from pyconv.layers.graph import Graph, blocks, flat, unfolded
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer


class Functional(AddedLosses):
    """A model of layers that were called on an ``Input`` and on each other's results.

    It is a ``Sequential`` with a ``Graph`` where layers branch; ``layers`` are all of them, with
    the input, as Keras has them.
    """

    is_functional = True

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        if name is None and _era.is_keras2():
            name = _classes.old_name("Model")
        elif name is None:
            name = _classes.auto_name("Functional")
        super().__init__(layers, trainable, name)

    @property
    def label(self) -> str:
        """What errors call the model: a class of the user's own by its name."""
        kind = type(self)
        own = not kind.__module__.startswith("pyconv.")
        return f"{kind.__name__ if own else 'Functional'} {self.name!r}"

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Return the output for a batch; for tensors, those of the layers."""
        if self._ends is not None and len(self.inputs) == 1:
            sizes, x = self._ends[0].sizes, self._of_name(x)
            if isinstance(x, (list, tuple)) and len(x) == 1 and np.ndim(x[0]) == len(sizes):
                x = x[0]
            if isinstance(x, (Tensor, np.ndarray)) or is_recorded(x):
                x = of_rank(x, sizes)
            other_rank = tensors_of(x) is None and np.ndim(x) != len(sizes)
            if other_rank and (words := self._unlike(x)):
                raise ValueError(f"{self.label}: {words}")
        try:
            return super().__call__(x, training)
        except ValueError as error:
            words = None if self._ends is None else self._unlike(x)
            if words is None:
                raise
            raise ValueError(f"{error}. {words}") from None

    def _unlike(self, x: Any) -> str | None:
        """Return what Keras says of inputs that are not those of the model; None for others."""
        given, wanted = leaves(x), self.inputs
        if len(given) != len(wanted):
            return (
                f'Layer "{self.name}" expects {len(wanted)} input(s), but it received '
                f"{len(given)} input tensors"
            )
        for own, got in zip(wanted, map(np.shape, given), strict=True):
            sizes = tuple(own.sizes)
            if len(got) != len(sizes):
                return (
                    f"Invalid input shape for input with name '{own.name}' and path ''. Expected "
                    f"shape {sizes}, but input has incompatible shape {tuple(got)}"
                )
            if any(n not in (None, size) for n, size in zip(sizes, got, strict=True)):
                return f"expected shape={sizes}, found shape={tuple(got)}"
        return None

    @property
    def running_layers(self) -> list[Layer]:
        """The input and all layers that do the work, in Keras's order."""
        self._link()
        return [*([self._input] if self._input else []), *flat(self._layers)]

    @property
    def layers(self) -> list[Any]:
        """The inputs, and the layers and models that were called, in Keras's order."""
        if not self._is_nested():
            return self.running_layers
        return [*(start.layer for start in self.inputs), *self._members()]

    def _check_name(self, layer: Any) -> None:
        """Take any: what was called has names that differ, not what is within models."""

    def _check_names(self) -> None:
        """Raise an error where two layers that were called have one name."""
        names = [member.name for member in self.layers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"{self.label}: it has two layers named {name!r}; give one of them another name"
                )

    def _members(self) -> list[Any]:
        if self._linked != self._layers or self._ends is None:
            return flat(self._layers)
        return owners([self._ends[0]], [self._ends[1]])

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return the layer of this name, or at this index of ``layers``."""
        layers = self.layers
        if name is None and isinstance(index, int) and -len(layers) <= index < len(layers):
            return layers[index]
        found = [layer for layer in layers if layer.name == name]
        return found[0] if found and index is None else super().get_layer(name, index)

    def wired_config(self, modules: bool) -> dict[str, Any] | None:
        """Return the configuration in Keras's form where a layer is used again; else None."""
        if not self._is_wired():
            return None
        from pyconv.compat import _functional_config

        return _functional_config.config_of(self, modules)

    def _is_wired(self) -> bool:
        """Whether the model is no stack of layers and graphs, each used once."""
        return self._is_nested() or any(
            layer.use_of is not None for layer, _ in unfolded(self._layers)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the architecture as plain data, without weights."""
        return self.wired_config(True) or super().get_config()

    def _leading_augmentation(self, input_shape: Shape) -> list[Augmentation]:
        return leading(self._layers[:-1], input_shape)


def functional(inputs: Any, outputs: Any, name: str | None = None) -> Any:
    """Return the model between inputs and what was made of them.

    Raises:
        NotImplementedError: a layer is used twice, and cannot be copied for that.
        ValueError: an output is not made of the inputs.
    """
    inputs, outputs = _tensors("input", inputs), _tensors("output", outputs)
    _check_connected(inputs, outputs)
    if len(leaves(inputs)) > 1 or len(leaves(outputs)) > 1:
        from pyconv.compat._structured import Structured

        several = Structured(name=name)
        several._wire(inputs, outputs)
        several._take_carried()
        return several
    start = leaves(inputs)[0]
    end = connected(start, leaves(outputs)[0])
    nodes = nodes_between(start, end)
    first = start.layer
    if not isinstance(first, InputLayer):
        first = _input_of(start)
    made = Functional([first, *blocks(nodes, repeats_names=True)], name=name)
    made._take_links(start, end)
    made._check_names()
    made._take_carried()
    return made


def _input_of(start: Tensor, name: str | None = None) -> Any:
    """Return the input of a model that begins with what a layer gave."""
    from pyconv.compat.keras import layers

    return layers.InputLayer(batch_shape=start.sizes, name=name)


def cloned(model: Any, start: Any, clone: Any, call: Any) -> Any:
    """Return a model of new layers for those of a model, each called by a function.

    Args:
        model: a built model.
        start: the tensors of the new inputs, None for ones like the model's.
        clone: returns the new layer for a layer.
        call: returns the tensor of a new layer and what it takes, ``call(layer, inputs)``.
    """
    starts: list[Tensor] = leaves(model.input)
    given = leaves(start)
    if start is None:
        given = [_input_of(old, old.layer.name) for old in starts]
    elif paths(start) != paths(model.input):
        raise ValueError(
            "clone_model: `input_tensors` must have the same structure as model.input, tensors at "
            f"{paths(model.input)}, got them at {paths(start)}"
        )
    made: dict[Tensor, Any] = dict(zip(starts, map(tensor_of, given), strict=True))
    copies: dict[int, Any] = {}
    for step in steps_between(starts, leaves(model.output)):
        if step in made:
            continue
        is_call = isinstance(step, WiredCall)
        owner = step.owner if is_call else step.layer
        if id(owner) not in copies:
            copies[id(owner)] = clone(owner)
        taken = [made[source] for source in step.inputs]
        several = isinstance(owner, Merge) or len(taken) > 1
        result = call(copies[id(owner)], taken if several else taken[0])
        made.update(zip(step.outputs if is_call else [step], leaves(result), strict=True))
    ends = [mapped(lambda tensor: made[tensor], form) for form in (model.input, model.output)]
    return functional(ends[0], ends[1], model.name)


def _check_connected(inputs: Any, outputs: Any) -> None:
    for end, path in zip(leaves(outputs), paths(outputs), strict=True):
        with in_other_words(f"Output with path `{path}` is not connected to `inputs`"):
            network(leaves(inputs), [end])


def has_branches(stack: list[Layer]) -> bool:
    """Whether layers branch."""
    return any(isinstance(layer, Graph) for layer in stack)


def _tensors(what: str, given: Any) -> Any:
    """Return tensors in lists, tuples and dicts."""
    if not leaves(given) or given is None:
        raise ValueError(
            f"keras.Model: it needs {what}s, such as what keras.Input() and calls of layers gave, "
            "got none"
        )
    try:
        return mapped(tensor_of, given)
    except TypeError as error:
        raise ValueError(f"{error}. All `{what}s` values must be KerasTensors") from None
