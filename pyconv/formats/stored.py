"""What a model's file of another library holds, and how it gets into a model."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyconv import compile_config
from pyconv._extensions import extension
from pyconv._names import free_name, snake_case
from pyconv._types import Array
from pyconv.custom_objects import CustomObjectScope, in_scope
from pyconv.formats import keras_config_reader, keras_config_writer, keras_graph
from pyconv.formats.fitting import fit, float32
from pyconv.layers._memory import at_most
from pyconv.layers.graph import flat

if TYPE_CHECKING:
    from pyconv.layers.layer import Layer
    from pyconv.model import Sequential
    from pyconv.optimizers.optimizer import Optimizer

Arrays = list[NDArray[Any]]
# The weights of a layer, in order, or by name as pyconv's own files have them.
Weights = Arrays | Mapping[str, NDArray[Any]]


@dataclass
class Stored:
    """The parts of a file; ``groups`` are the weights of each layer that has some, in order.

    ``by_class`` says that groups are found by the layer's class and number, as Keras 3 keeps them
    (``conv2d``, ``conv2d_1``), and not by order or by the layer's name; ``paths`` then has the
    weights of all layers, also those within others, by path, and ``stores`` all arrays by path and
    name, also those that layers of the user's own name themselves. ``assets`` are the contents of
    files that such layers wrote, by path.
    """

    groups: Mapping[str, Weights]
    by_class: bool = False
    paths: Mapping[str, Arrays] = field(default_factory=dict)
    config: Any = None
    compiled: Any = None
    optimizer: Arrays = field(default_factory=list)
    states: Any = None
    stores: Mapping[str, Mapping[str, NDArray[Any]]] = field(default_factory=dict)
    assets: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def as_network(self) -> bool:
        """Whether it has a model of the user's own as the network that its call is."""
        return isinstance(self.config, Mapping) and keras_config_writer.OWN_CLASS in self.config

    @property
    def numbers(self) -> int:
        """How many numbers the weights hold."""
        groups = self.stores.values() if self.by_class else self.groups.values()
        return sum(array.size for group in groups for array in _arrays(group))

    def of_classes(self, layers: list[tuple[str, str]]) -> dict[str, Weights]:
        """Return the weights by layer's name of (class, name) of all layers, in order.

        Raises:
            ValueError: the file has weights for more or fewer layers of a class.
        """
        kept: dict[str, list[tuple[int, str]]] = {}
        for group in self.groups:
            head, _, number = group.rpartition("_")
            if head and number.isdecimal():
                kept.setdefault(head, []).append((int(number), group))
            else:
                kept.setdefault(group, []).append((-1, group))
        found: dict[str, Weights] = {}
        for name in {snake_case(class_name) for class_name, _ in layers}:
            own = [layer for class_name, layer in layers if snake_case(class_name) == name]
            groups = sorted(kept.pop(name, []))
            if groups and len(groups) != len(own):
                raise ValueError(
                    f"it has weights of {len(groups)} layers {name}, the model has {len(own)}"
                )
            found.update(
                (layer, self.groups[group]) for layer, (_, group) in zip(own, groups, strict=False)
            )
        if kept:
            raise ValueError(f"it has weights of layers {sorted(kept)}, which the model has not")
        return {layer: found[layer] for _, layer in layers if layer in found}


class InOrder(Mapping[str, Array]):
    """The weights of a layer, to be asked for by name in the order in which it makes them."""

    def __init__(self, arrays: Weights) -> None:
        self._left = list(arrays.values() if isinstance(arrays, Mapping) else arrays)

    def __getitem__(self, name: str) -> Array:
        if not self._left:
            raise KeyError(name)
        return float32(self._left.pop(0))

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return len(self._left)


def _arrays(weights: Weights) -> Arrays:
    return list(weights.values()) if isinstance(weights, Mapping) else weights


def from_stored(
    stored: Stored, custom_objects: Mapping[str, Any] | None, compile: bool
) -> "Sequential":
    """Return the model that a file of Keras's holds; its weights are taken from the file.

    Raises:
        ValueError, TypeError: its parts do not fit each other, or something is not known.
    """
    own = _of_own_class(stored, custom_objects)
    model = own or _of_layers(stored, custom_objects)
    if stored.states is not None:
        set_states(model, stored.states if own is None else _renamed(stored.states, own))
    if compile and stored.compiled is not None:
        try:
            with CustomObjectScope({**in_scope(), **(custom_objects or {})}):
                arguments = compile_config.known(
                    keras_config_reader.from_compile_config(stored.compiled)
                )
                model.compile_from_config(arguments)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{error}; load it with compile=False, and compile it") from None
        if stored.optimizer and model.optimizer is not None:
            order = model.file_order() if stored.as_network else None
            restore_optimizer(model, model.optimizer, stored.optimizer, order)
    return model


def _of_own_class(stored: Stored, custom_objects: Mapping[str, Any] | None) -> "Sequential | None":
    """Return the model where it is of a class of the user's own that is known; else None."""
    make = extension("own_model")
    if make is None or not isinstance(stored.config, Mapping):
        return None
    description, shape = stored.config.get(keras_config_writer.OWN_CLASS), None
    if description is not None:
        shape = keras_config_reader.from_model_config(stored.config).get("build_input_shape")
    elif stored.config.get("class_name") not in keras_graph.MODELS:
        description, shape = stored.config, keras_config_reader.built_for(stored.config)
    if description is None:
        return None
    with at_most(stored.numbers):
        model: Sequential | None = make(description, shape, custom_objects)
    if model is None or (not model.built and stored.numbers):
        return None
    fit(model, stored)
    return model


def _of_layers(stored: Stored, custom_objects: Mapping[str, Any] | None) -> "Sequential":
    """Return the model as one of the library's classes."""
    from pyconv.model import Sequential

    config = keras_config_reader.from_model_config(stored.config)
    if keras_graph.is_wired(config) or keras_graph.has_own(config):
        return wired(config, stored, custom_objects)
    weights: dict[str, InOrder] = {}
    if isinstance(config.get("layers"), list):
        names = [_class_and_name(layer) for layer in keras_graph.flat(config["layers"])]
        groups = stored.of_classes(names) if stored.by_class else stored.groups
        weights = {name: InOrder(arrays) for name, arrays in groups.items()}
    given = weights if stored.numbers else None
    model = Sequential.from_config(config, dict(custom_objects or {}), given)
    if not model.built and stored.numbers:
        raise ValueError("it does not say the shape of its input")
    if any(weights.values()):
        raise ValueError("its weights are not those of its layers")
    return model


def wired(
    config: Mapping[str, Any], stored: Stored, custom_objects: Mapping[str, Any] | None
) -> "Sequential":
    """Return a model that is no stack of layers, built and then filled with what a file holds."""
    from pyconv.model import Sequential

    with at_most(stored.numbers):
        model = Sequential.from_config(dict(config), dict(custom_objects or {}))
    if not model.built and stored.numbers:
        raise ValueError("it does not say the shape of its input")
    fit(model, stored)
    return model


def _class_and_name(layer: Any) -> tuple[str, str]:
    config = layer.get("config") if isinstance(layer, Mapping) else None
    name = config.get("name") if isinstance(config, Mapping) else None
    return (
        str(layer["class_name"]) if isinstance(name, str) and "class_name" in layer else "",
        str(name),
    )


def layer_states(model: "Sequential") -> dict[str, dict[str, int]]:
    """Return what layers remember beside their weights, by name."""
    states = {name: layer.get_state() for name, layer in _named(model).items()}
    return {name: state for name, state in states.items() if state}


def _named(model: "Sequential") -> "dict[str, Layer]":
    """Return all layers by name; those of models within may have the name of another."""
    named: dict[str, Layer] = {}
    for layer in flat(model._layers):
        named[free_name(layer.name, named)] = layer
    return named


def _renamed(states: Any, model: "Sequential") -> Any:
    """Return states by the names of a new model's layers, which a class may have counted on."""
    names = list(layer_states(model))
    if not isinstance(states, dict) or len(names) != len(states):
        return states
    return dict(zip(names, states.values(), strict=True))


def set_states(model: "Sequential", states: Any) -> None:
    """Have layers take up what ``layer_states`` returned."""
    if not isinstance(states, dict):
        raise ValueError(f"the state must be a dict, got {states!r:.60}")
    layers = _named(model)
    for name, state in states.items():
        if not isinstance(state, dict):
            raise ValueError(f"the state of {name!r} must be a dict, got {state!r:.60}")
        if name not in layers:
            raise ValueError(f"it has a state of {name!r:.60}, which is no layer of the model")
        layers[name].set_state(state)


def optimizer_reordered(optimizer: Any, arrays: Sequence[Any], order: Sequence[int]) -> list[Any]:
    """Return an optimizer's arrays with those of each parameter in another order.

    Where it does not list them parameter by parameter, they are as they were.
    """
    groups: list[tuple[str, ...]] = getattr(optimizer, "_slot_groups", list)()
    extras = getattr(optimizer, "_extras", None)
    sizes = [1] * len(extras.slot_names() if extras is not None else ())
    sizes += [len(group) for group in groups]
    count = len(order)
    first = len(arrays) - count * sum(sizes)
    if first < 0:
        return list(arrays)
    result = list(arrays[:first])
    for size in sizes:
        of_each = [list(arrays[first + i * size : first + (i + 1) * size]) for i in range(count)]
        result += [array for i in order for array in of_each[i]]
        first += count * size
    return result


def restore_optimizer(
    model: "Sequential",
    optimizer: "Optimizer",
    arrays: Arrays,
    order: Sequence[int] | None = None,
) -> None:
    """Have an optimizer take up its state in the order of Keras 3, or of Keras 1 and 2.

    Keras 3: iterations, learning rate (unless a schedule sets it), slots of each parameter.
    Before: iterations (not in the first versions), then for each slot its arrays.

    A state that does not fit is left alone, with a warning, as Keras does.
    """
    params = model._params()
    optimizer.variable_names = model._param_names()
    optimizer.build(params)
    own = [array.shape for array in optimizer.variables]
    if order is not None:
        arrays = optimizer_reordered(optimizer, arrays, np.argsort(order).tolist())
    if [array.shape for array in arrays] == own and _is_count(arrays[0]):
        optimizer.set_weights(arrays)
        return
    iterations: NDArray[Any] = np.array(0)
    scalars = len(own) - len(optimizer._ordered())
    if arrays and arrays[0].shape == ():
        iterations, arrays = arrays[0], arrays[1:]
    names = [name for group in optimizer._slot_groups() for name in group]
    # Adam of Keras 2 keeps an empty third slot where amsgrad is off.
    arrays = arrays[: len(names) * len(params)]
    keras2 = len(names) * len(params) == len(arrays) and _is_count(iterations)
    state = {
        f"{name}/{i}": float32(arrays[k * len(params) + i])
        for k, name in enumerate(names if keras2 else [])
        for i in range(len(params))
    }
    try:
        if not keras2:
            raise ValueError(f"it has {len(arrays)} arrays, {len(own) - scalars} were expected")
        optimizer.load_state_dict({"iterations": np.array(int(iterations), np.int64), **state})
    except ValueError as error:
        warnings.warn(
            f"load_model: the optimizer's state in the file does not fit, so that it begins anew: "
            f"{error}",
            stacklevel=4,
        )


def _is_count(array: NDArray[Any]) -> bool:
    return array.shape == () and bool(np.isfinite(array)) and 0 <= float(array) < 2**53
