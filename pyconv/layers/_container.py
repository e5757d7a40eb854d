"""The base of layers that hold layers: their weights, states and penalties are those of all."""

from collections.abc import Iterator, Mapping
from typing import Any

from pyconv._args import bool_arg
from pyconv._names import free_name
from pyconv._types import Array, Shape
from pyconv.layers._path import Path
from pyconv.layers._penalties import Penalized
from pyconv.layers.layer import Layer


class Container(Layer):
    """A layer of paths that all take its input, and whose results are brought together.

    The name of a weight begins with that of its layer: ``conv2d/kernel``.
    """

    _repeats_names = False  # whether layers may have the name of another one

    def __init__(self, **kwargs: Any) -> None:
        self._paths: list[Path] = []
        super().__init__(**kwargs)

    def _take(self, *paths: Path) -> None:
        """Have these paths, whose layers must have names of their own."""
        self._paths = list(paths)
        for key, layer in self._keyed() if not self._repeats_names else ():
            if key != layer.name:
                raise ValueError(
                    f"{self.label}: it has two layers named {layer.name!r}; give one of them "
                    "another name"
                )
        if not self._trainable:
            self.trainable = False

    @property
    def layers(self) -> list[Layer]:
        """The layers, path by path."""
        return [layer for path in self._paths for layer in path.layers]

    def _keyed(self) -> Iterator[tuple[str, Layer]]:
        """Give the layers, each with a name that no other has."""
        taken: set[str] = set()
        for layer in self.layers:
            key = free_name(layer.name, taken)
            taken.add(key)
            yield key, layer

    @property
    def paths(self) -> list[Path]:
        """The paths."""
        return self._paths

    @property
    def trainable(self) -> bool:
        """Whether training changes weights; setting it sets that of each layer, as in Keras."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool_arg(self.label, "trainable", value)
        for layer in self.layers:
            layer.trainable = self._trainable

    # --- weights ------------------------------------------------------------------------------

    @property
    def named_weights(self) -> dict[str, Array]:
        """All weights by name: the layers' own arrays, not copies."""
        return {
            f"{key}/{name}": weight
            for key, layer in self._keyed()
            for name, weight in layer.named_weights.items()
        }

    @property
    def weights_of_files(self) -> dict[str, Array]:
        """The weights by name, as files have them."""
        within = {
            f"{key}/{name}": weight
            for key, layer in self._keyed()
            for name, weight in layer.weights_of_files.items()
        }
        return {**within, **self._weights}

    def pairs_of_files(self, values: list[Any]) -> list[tuple[Array, Array]]:
        """Return (a layer's array, its new values) for those of ``weights_of_files``."""
        pairs: list[tuple[Array, Array]] = []
        for layer in self.layers:
            count = len(layer.weights_of_files)
            pairs += layer.pairs_of_files(values[:count])
            values = values[count:]
        return [*pairs, *zip(self._weights.values(), values, strict=True)]

    @property
    def params(self) -> list[Array]:
        """The arrays that training changes, unless ``trainable`` is False."""
        return [w for layer in self.layers if layer.trainable for w in layer.params]

    @property
    def learns(self) -> bool:
        """Whether training changes weights of a layer."""
        return self.trainable and any(layer.learns for layer in self.layers)

    @property
    def grads(self) -> list[Array]:
        """The gradients of ``params``, in the same order, as the last ``backward`` left them."""
        return [g for layer in self.layers if layer.trainable for g in layer.grads]

    @property
    def non_trainable_weights(self) -> list[Array]:
        """The weights that training leaves as they are."""
        if not self.trainable:
            return self.weights
        return [w for layer in self.layers for w in layer.non_trainable_weights]

    non_trainable_variables = non_trainable_weights

    def give_weights(self, weights: Mapping[str, Array]) -> None:
        """Have ``build`` take these arrays, by name, as the weights: none is initialized."""
        for key, layer in self._keyed():
            layer.give_weights(_Within(weights, f"{key}/"))

    def move(self) -> None:
        """Bring the weights to where operations run, if they are elsewhere."""
        for layer in self.layers:
            layer.move()

    def leaves(self) -> Iterator[Layer]:
        """Give the layers that hold no others, in order."""
        for layer in self.layers:
            yield from layer.leaves()

    def inputs_of_paths(self, input_shape: Shape) -> Iterator[tuple[Path, Shape]]:
        """Give each path with the shape of its input."""
        for path in self._paths:
            yield path, input_shape

    def _create_weights(self, input_shape: Shape) -> None:
        for path in self._paths:
            path.build(input_shape)

    def _forget_weights(self) -> None:
        super()._forget_weights()
        for layer in self.layers:
            layer.unbuild()

    # --- penalties and state ------------------------------------------------------------------

    @property
    def losses(self) -> list[float]:
        """The penalties of the layers, and of the last call's result."""
        own = [] if self._activity_penalty is None else [self._activity_penalty]
        return [value for layer in self.layers for value in layer.losses] + own

    def penalized_steps(self) -> Iterator[Penalized]:
        """Give the steps of the paths that add penalties of their own to the loss."""
        for path in self._paths:
            yield from penalized_steps(path.steps)

    def weight_penalties(self) -> list[float]:
        """Return none: the steps of the paths have them."""
        return []

    def add_penalty_gradients(self, scale: float = 1.0) -> None:
        """Add none: the steps of the paths do."""

    def get_state(self) -> dict[str, int]:
        """Return what the layers remember from step to step beside their weights."""
        return {
            f"{key}/{name}": value
            for key, layer in self._keyed()
            for name, value in layer.get_state().items()
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take up what ``get_state`` returned.

        Raises:
            TypeError, ValueError: ``state`` is not of such a layer.
        """
        left = dict(state)
        for key, layer in self._keyed():
            start = f"{key}/"
            own = {name[len(start) :]: left.pop(name) for name in state if name.startswith(start)}
            if own or layer.get_state():
                layer.set_state(own)
        if left:
            raise ValueError(f"{self.label}: it has no state named {sorted(left)}")

    # --- configuration ------------------------------------------------------------------------

    def flops(self, input_shape: Shape) -> int:
        """Return the multiplications and additions of ``forward``."""
        return sum(path.flops(shape) for path, shape in self.inputs_of_paths(input_shape))

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, type[Layer]] | None = None
    ) -> Layer:
        """Return a new layer of the configuration that ``get_config`` returned.

        Args:
            config: the configuration.
            custom_objects: your own layer classes by name.
        """
        return cls(**{name: _made(value, custom_objects) for name, value in config.items()})


def penalized_steps(steps: list[Any]) -> Iterator[Penalized]:
    """Give the steps that add penalties to the loss, those within containers too."""
    for step in steps:
        inner = step
        if isinstance(step, Penalized):
            yield step
            inner = step.layers[-1]
        if isinstance(inner, Container):
            yield from inner.penalized_steps()


def configs(path: Path) -> list[Any]:
    """Return the configurations of a path's layers."""
    from pyconv import layers

    return [layers.serialize(layer) for layer in path.layers]


def _made(value: Any, custom_objects: dict[str, type[Layer]] | None) -> Any:
    """Return an argument, with layers in place of their configurations."""
    from pyconv import layers

    if isinstance(value, (list, tuple)):
        return [_made(item, custom_objects) for item in value]
    if isinstance(value, Mapping) and "class_name" in value:
        return layers.deserialize(value, custom_objects)
    return value


class _Within(Mapping[str, Array]):
    """The weights whose names have a beginning, by the rest of their names."""

    def __init__(self, weights: Mapping[str, Array], start: str) -> None:
        self._weights, self._start = weights, start

    def __getitem__(self, name: str) -> Array:
        return self._weights[self._start + name]

    def __iter__(self) -> Iterator[str]:
        return (n[len(self._start) :] for n in self._weights if n.startswith(self._start))

    def __len__(self) -> int:
        return sum(1 for _ in self)
