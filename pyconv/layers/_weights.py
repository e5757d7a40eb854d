"""What a layer holds: weights, their gradients, regularizers and constraints."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from pyconv import _aligned, backend, constraints, initializers, regularizers
from pyconv._convert import float32_array
from pyconv._own_state import OwnState, is_own
from pyconv._types import Array
from pyconv.initializers import Initializer
from pyconv.layers._arguments import check_dtype, shape_arg, stored_weight
from pyconv.layers._memory import check_fits, spend
from pyconv.regularizers import Regularizer
from pyconv.variable import Variable


def trained_first(named: Mapping[str, Any], untrained: Collection[str]) -> dict[str, Any]:
    """Return weights by name in Keras's order, those in ``untrained`` at the end."""
    return {name: named[name] for name in sorted(named, key=untrained.__contains__)}


class Weights(OwnState):
    """The weights of a layer, by name and in the order in which they were added."""

    activity_regularizer: Regularizer | None
    # The class that errors name, of a layer that works for one of another class.
    works_for: str | None = None

    def __init__(self, name: str, trainable: bool) -> None:
        self.name = name
        self.trainable = trainable
        self.weight_regularizers: dict[str, Regularizer] = {}
        self.weight_constraints: dict[str, Any] = {}
        self._weights: dict[str, Array] = {}
        self._given_weights: Mapping[str, Array] | None = None
        self._untrained: set[str] = set()
        self._grads: list[Array] = []
        self._has_created = False  # what the kind of layer adds by itself
        self._activity_penalty: float | None = None

    @property
    def label(self) -> str:
        """What errors call the layer, such as ``Conv2D 'conv2d_1'``."""
        return f"{self.works_for or type(self).__name__} {self.name!r}"

    @property
    def built(self) -> bool:
        """Whether the weights are there."""
        raise NotImplementedError

    @property
    def params(self) -> list[Array]:
        """The arrays that training changes, unless ``trainable`` is False."""
        if not self._untrained:
            return list(self._weights.values())
        return [w for name, w in self._weights.items() if name not in self._untrained]

    @property
    def learns(self) -> bool:
        """Whether training changes weights, so that ``backward`` is asked for gradients."""
        return self.trainable and bool(self.params)

    @property
    def grads(self) -> list[Array]:
        """The gradients of ``params``, in the same order, as the last ``backward`` left them."""
        if len(self._grads) != len(self._weights) - len(self._untrained):
            self._grads = [backend.zeros(w.shape, np.float32) for w in self.params]
        return self._grads

    @property
    def update_grads(self) -> list[Any]:
        """The gradients as the optimizer of a training step takes them."""
        return self.grads

    @property
    def weights(self) -> list[Array]:
        """All weights: the layer's own arrays, not copies."""
        return list(self.named_weights.values())

    @property
    def named_weights(self) -> dict[str, Array]:
        """All weights by name, those that are trained first: the own arrays, not copies."""
        return trained_first(self._weights, self._untrained)

    @property
    def weights_of_files(self) -> dict[str, Array]:
        """The weights by name, as files have them."""
        return self.named_weights

    def own_named_weights(self) -> dict[str, Any]:
        """Return the weights by name without those of layers within, trained ones first."""
        return self.weights_of_files

    def file_places(self, path: str, in_order: bool = False) -> list[Any]:
        """Return where files have the weights, from ``path`` on; or in the layer's own order."""
        from pyconv.formats.places import place_of

        return [place_of(self, path)]

    def pairs_of_files(self, values: list[Any]) -> list[tuple[Array, Array]]:
        """Return (the layer's array, its new values) for those of ``weights_of_files``."""
        return list(zip(self.weights_of_files.values(), values, strict=True))

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Within, a call of the user's own may count or assign: the weights are as before after."""
        # The arrays themselves: the call may make more, at any place among them.
        before = [(weight, np.array(weight)) for weight in self.weights]
        try:
            yield
        finally:
            for weight, values in before:
                weight[...] = values

    @property
    def trainable_weights(self) -> list[Array]:
        """The weights that training changes."""
        return self.params if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Array]:
        """The weights that training leaves as they are."""
        if not self.trainable:
            return self.weights
        return [w for name, w in self._weights.items() if name in self._untrained]

    # Keras's other names of them.
    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[Array]:
        """Return copies of the weights."""
        return [np.array(w) for w in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Copy ``weights`` into the layer's own.

        Args:
            weights: a list of arrays of the shapes that ``get_weights`` returns.

        Raises:
            TypeError: ``weights`` is not a list of arrays of numbers.
            ValueError: there are too many or too few, or a shape is wrong; no weight is changed.
        """
        for target, value in self.checked_weights(weights):
            target[...] = value

    def checked_weights(self, weights: Any) -> list[tuple[Array, Array]]:
        """Return (the layer's array, the new values) for each weight, as ``set_weights`` checks."""
        if not isinstance(weights, (list, tuple)):
            raise TypeError(
                f"{self.label}: weights must be a list of arrays, got a {type(weights).__name__}"
            )
        named = self.named_weights
        if len(weights) != len(named):
            own = ", ".join(f"{name} {w.shape}" for name, w in named.items()) or "none"
            hint = "" if self.built else "; it is not built: call build(input_shape) first"
            raise ValueError(
                f"{self.label}: set_weights got {len(weights)} arrays, but the layer has "
                f"{len(named)}: {own}{hint}"
            )
        pairs = []
        for (name, target), value in zip(named.items(), weights, strict=True):
            array = float32_array(self.label, name, value)
            if array.shape != target.shape:
                raise ValueError(f"{self.label}: {name} must be {target.shape}, got {array.shape}")
            pairs.append((target, array))
        return pairs

    def give_weights(self, weights: Mapping[str, Array]) -> None:
        """Have ``build`` take these arrays, by name, as the weights: none is initialized."""
        self._given_weights = weights

    def take_given_weights(self) -> None:
        """Take up what ``give_weights`` gave, where ``build`` has not."""

    def count_params(self) -> int:
        """Return how many numbers the weights hold.

        Raises:
            ValueError: the layer is not built yet.
        """
        if not self.built:
            raise ValueError(
                f"{self.label}: count_params needs a built layer; call build(input_shape) first"
            )
        return sum(w.size for w in self.weights)

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: Any = None,
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Array:
        """Add a weight, in a ``build`` of one's own, and return its array.

        Args:
            shape: its shape; ``()`` by default.
            initializer: its first values; None for ``"glorot_uniform"``.
            dtype: None or ``"float32"``.
            trainable: whether training changes it: ``grads`` has its gradient then.
            autocast: has no effect.
            regularizer: a penalty on it, or None.
            constraint: applied to it after each step, or None.
            aggregation: has no effect.
            overwrite_with_gradient: must be False.
            name: its name; by default ``variable``, counted.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument has a wrong value, or the name is taken.
        """
        if isinstance(shape, str):  # Keras 2 has the name first
            shape, name = initializer, shape
            initializer = None
        check_dtype(self.label, dtype)
        if overwrite_with_gradient:
            raise ValueError(f"{self.label}: overwrite_with_gradient must be False")
        if name is None:
            name = f"variable_{len(self._weights)}" if self._weights else "variable"
        if name in self._weights:
            raise ValueError(f"{self.label}: it has a weight named {name!r} already")
        label = self.label
        sizes = shape_arg(label, "shape", () if shape is None else shape)
        self._add_weight(
            name,
            tuple(n for n in sizes if n is not None),
            initializers.find(label, "initializer", initializer or "glorot_uniform"),
            regularizers.find(label, "regularizer", regularizer),
            constraints.find(label, "constraint", constraint),
            trainable,
        )
        return self._weights[name]

    def _add_weight(
        self,
        name: str,
        shape: tuple[int, ...],
        initializer: Initializer,
        regularizer: Regularizer | None = None,
        constraint: Any = None,
        trainable: bool = True,
    ) -> None:
        if regularizer is not None:
            self.weight_regularizers[name] = regularizer
        if constraint is not None:
            self.weight_constraints[name] = constraint
        if not trainable:
            self._untrained.add(name)
        if self._given_weights is not None:
            stored = stored_weight(self.label, name, shape, self._given_weights)
            self._weights[name] = self._placed(name, stored)
            return
        if not is_own(self, "load_own_variables"):  # which may make what no file holds
            spend(self.label, name, shape)
        check_fits(self.label, name, shape)
        try:
            # A copy: an initializer of the user's own may return an array that it keeps.
            values = _aligned.copy(float32_array(self.label, name, initializer(shape)))
        except MemoryError as error:
            raise ValueError(f"{self.label}: no memory for {name} of shape {shape}") from error
        if values.shape != shape:
            raise ValueError(
                f"{self.label}: the initializer of {name} must return {shape}, got {values.shape}"
            )
        self._weights[name] = self._placed(name, values)

    def move(self) -> None:
        """Bring the weights to where operations run, if they are elsewhere."""
        for name, weight in self._weights.items():
            if not backend.is_here(weight):
                self._weights[name] = self._placed(name, weight)
                self._grads.clear()

    def _placed(self, name: str, values: Any) -> Any:
        """Return a weight where operations run, with what Keras's variables tell of themselves."""
        if isinstance(values, Variable) and backend.is_here(values):
            variable: Any = values
        else:
            array = backend.on_device(values)
            variable = array.view(Variable) if isinstance(array, np.ndarray) else array
            variable.name = name
        if isinstance(variable, Variable):
            variable.trainable = name not in self._untrained
            variable._path = f"{self._path_around()}{self.name}/{name}"
        if name in self.weight_constraints:
            variable.constraint = self.weight_constraints[name]
        return variable

    def _path_around(self) -> str:
        """Return what the paths of weights begin with: that of the layer that calls this one."""
        return ""

    def _forget_weights(self) -> None:
        self._weights.clear()
        self._grads.clear()
        self._untrained.clear()
        self.weight_regularizers.clear()
        self.weight_constraints.clear()
        self._has_created = False

    def _weight_once_built(self, name: str) -> Array:
        if name not in self._weights:
            raise AttributeError(f"{self.label}: {name} exists once the layer is built")
        return self._weights[name]

    # --- penalties ---------------------------------------------------------------------------

    @property
    def losses(self) -> list[float]:
        """The penalties: of each weight that trains, and of the last call's result."""
        if self._activity_penalty is None:
            return self.weight_penalties()
        return [*self.weight_penalties(), self._activity_penalty]

    def weight_penalties(self) -> list[float]:
        """Return the penalties of the weights that training changes."""
        if not self.trainable:
            return []
        return [
            float(regularizer(np.asarray(self._weights[name])))
            for name, regularizer in self.weight_regularizers.items()
            if name in self._weights
        ]

    @property
    def has_penalties(self) -> bool:
        """Whether training adds something to the loss for the layer."""
        return self.activity_regularizer is not None or bool(self.weight_regularizers)

    def penalties_in_training(self) -> list[float]:
        """Return the penalties of the weights that training changes, also of layers within."""
        return self.weight_penalties()

    def add_penalty_gradients(self, scale: float = 1.0) -> None:
        """Add the gradients of the weights' penalties to ``grads``."""
        names = [name for name in self._weights if name not in self._untrained]
        for name, grad in zip(names, self.grads, strict=True):
            regularizer = self.weight_regularizers.get(name)
            if regularizer is not None:
                slope = regularizer.gradient(np.asarray(self._weights[name]))
                if scale != 1:
                    slope = slope * np.float32(scale)
                grad += backend.on_device(np.asarray(slope, np.float32))

    def constrain(self) -> None:
        """Apply the constraints to the weights, where they train."""
        if not self.trainable:
            return
        for name, constraint in self.weight_constraints.items():
            weight = self._weights[name]
            weight[...] = np.asarray(constraint(np.asarray(weight)), np.float32)

    def activity_penalty(self, y: Array) -> float:
        """Return the penalty of a result, divided by the size of the batch."""
        assert self.activity_regularizer is not None
        return float(self.activity_regularizer(np.asarray(y))) / max(len(y), 1)
