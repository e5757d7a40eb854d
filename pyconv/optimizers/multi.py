"""Different optimizers for different parameters."""

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from types import SimpleNamespace
from typing import Any

from pyconv._args import shown
from pyconv.optimizers._delegating import Delegating
from pyconv.optimizers.loss_scale import LossScaleOptimizer
from pyconv.optimizers.optimizer import Optimizer


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Optimizers by pattern of the parameters' paths, such as 'dense/kernel'.

    Args:
        default_optimizer: the optimizer of parameters that no pattern fits.
        optimizer_map: optimizers by pattern, a regular expression of the whole path.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: a pattern is given twice, or a path fits several.

    Example:
        >>> import pyconv
        >>> sgd, adam = pyconv.optimizers.SGD(), pyconv.optimizers.Adam()
        >>> optimizers = pyconv.optimizers.OptimizerMap(adam, {".*/kernel": sgd})
        >>> optimizers["dense/kernel"] is sgd, optimizers["dense/bias"] is adam
        (True, True)
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: Mapping[str, Optimizer] | None = None
    ) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                "OptimizerMap: default_optimizer must be an Optimizer, got "
                f"{shown(default_optimizer)}"
            )
        if optimizer_map is not None and not isinstance(optimizer_map, Mapping):
            raise TypeError(
                f"OptimizerMap: optimizer_map must be a dict, got {shown(optimizer_map)}"
            )
        self.default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Optimizer] = {}
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        fitting = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(fitting) > 1:
            raise ValueError(
                f"OptimizerMap: Multiple optimizers assigned to variable {key}: {fitting}"
            )
        return self._optimizer_map[fitting[0]] if fitting else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ValueError(f"OptimizerMap: a key must be a pattern, got {shown(key)}")
        if key in self._optimizer_map:
            raise ValueError(f"OptimizerMap: {key!r} already has an optimizer")
        try:
            re.compile(key)
        except re.error as error:
            raise ValueError(f"OptimizerMap: {key!r} is no pattern: {error}") from None
        if not isinstance(optimizer, Optimizer):
            raise ValueError(
                f"OptimizerMap: optimizer must be an Optimizer, got {shown(optimizer)}"
            )
        if isinstance(optimizer, Delegating):
            raise ValueError(
                f"OptimizerMap: optimizer cannot be {_kind(optimizer)}: put a LossScaleOptimizer "
                "around the MultiOptimizer"
            )
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __call__(self, variable: Any) -> Optimizer:
        """Return the optimizer of a parameter, which has a ``path``."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        from pyconv.serialization import serialize_keras_object

        return {
            "default_optimizer": serialize_keras_object(self.default_optimizer),
            "optimizer_map": serialize_keras_object(self._optimizer_map),
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "OptimizerMap":
        """Make a map from what ``get_config`` gave."""
        from pyconv.serialization import deserialize_keras_object

        return cls(**{k: deserialize_keras_object(v, custom_objects) for k, v in config.items()})


class MultiOptimizer(Delegating):
    """Updates each parameter by the optimizer that a map has for it.

    Callbacks that change the learning rate change that of each.

    Args:
        optimizer_map: an ``OptimizerMap``, or a function that returns the optimizer of a
            parameter, of which it is given ``path``, ``name`` and ``shape``.
        loss_scale_factor: what the loss is multiplied by; set in each of the optimizers.
        name: the optimizer's name.

    Raises:
        TypeError, ValueError: an argument is wrong.

    Example:
        >>> import pyconv
        >>> from pyconv.optimizers import AdamW, Muon, MultiOptimizer, OptimizerMap
        >>> optimizer = MultiOptimizer(OptimizerMap(AdamW(), {"hidden/kernel": Muon()}))
        >>> model = pyconv.Sequential(
        ...     [
        ...         pyconv.Input((4,)),
        ...         pyconv.layers.Dense(8, "relu", name="hidden"),
        ...         pyconv.layers.Dense(2),
        ...     ]
        ... )
        >>> model.compile(optimizer, "mse")
        >>> [type(one).__name__ for one in optimizer.optimizers]
        ['Muon', 'AdamW']
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Any], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(optimizer_map):
            if not isinstance(optimizer_map, Optimizer):
                raise TypeError(
                    "MultiOptimizer: optimizer_map must be an OptimizerMap or a function, got "
                    f"{shown(optimizer_map)}"
                )
            optimizer_map = OptimizerMap(optimizer_map)
        self._optimizer_map = optimizer_map
        self._inner_optimizers: list[Optimizer] = []
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._number(optimizer)
        self._places: list[int] = []

    def _number(self, optimizer: Optimizer) -> int:
        """Return the optimizer's number, a new one where it is not known."""
        for i, known in enumerate(self._inner_optimizers):
            if known is optimizer:
                return i
        if not isinstance(optimizer, Delegating):
            optimizer.loss_scale_factor = self.loss_scale_factor
        self._inner_optimizers.append(optimizer)
        return len(self._inner_optimizers) - 1

    def _parts(self) -> list[Optimizer]:
        return self._inner_optimizers

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers, in the order of the map, the default last."""
        return self._inner_optimizers

    @property
    def learning_rate(self) -> Any:
        """Not an attribute: each of ``optimizers`` has its own."""
        raise AttributeError(
            "MultiOptimizer has no learning_rate: ask or set that of each of its optimizers"
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if "_extras" in vars(self):  # not while the base is made
            raise AttributeError(
                "MultiOptimizer has no learning_rate: set that of each of its optimizers"
            )

    @property
    def loss_scale_factor(self) -> float | None:
        """What the loss is multiplied by."""
        return self._extras.loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._extras.set_loss_scale(value)
        for optimizer in self._inner_optimizers:
            optimizer.loss_scale_factor = value

    def build(self, trainable_variables: Sequence[Any]) -> None:
        """Share these parameters out, and make the states for them."""
        paths = self.variable_names or [getattr(v, "path", "") for v in trainable_variables]
        places = []
        for variable, path in zip(trainable_variables, paths, strict=True):
            shape, name = tuple(variable.shape), path.rpartition("/")[2]
            optimizer: Any = self._optimizer_map(SimpleNamespace(path=path, name=name, shape=shape))
            if not isinstance(optimizer, Optimizer):
                raise ValueError(
                    f"MultiOptimizer: the optimizer of {path!r} must be an Optimizer, got "
                    f"{shown(optimizer)}"
                )
            if isinstance(optimizer, Delegating):
                raise ValueError(
                    f"{_kind(optimizer)} cannot be used inside an MultiOptimizer: that of {path!r}"
                )
            places.append(self._number(optimizer))
        self._places = places
        for i, optimizer in enumerate(self._inner_optimizers):
            if i in places:
                optimizer.variable_names = self._of(i, paths)
                optimizer.build(self._of(i, trainable_variables))
        self._variables, self.built = list(trainable_variables), True

    def _of(self, number: int, values: Sequence[Any]) -> list[Any]:
        """Return those of the parameters that this optimizer updates."""
        return [v for place, v in zip(self._places, values, strict=True) if place == number]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Make one step of each optimizer; see ``Optimizer.apply``."""
        if trainable_variables is None and not self.built:
            raise ValueError(
                "MultiOptimizer: apply without trainable_variables needs a built optimizer; call "
                "build(trainable_variables) first"
            )
        variables = self._variables if trainable_variables is None else trainable_variables
        if not self.built:
            self.build(variables)
        if len(grads) != len(self._places) or len(variables) != len(self._places):
            raise ValueError(
                f"MultiOptimizer: grads must hold {len(self._places)} arrays, one a parameter, got "
                f"{len(grads)}"
            )
        for i, optimizer in enumerate(self._inner_optimizers):
            own = self._of(i, grads)
            if any(grad is not None for grad in own):
                optimizer.apply(own, self._of(i, variables))
        self._iterations += 1

    @property
    def use_ema(self) -> bool:
        """Whether one of the optimizers keeps a moving average of its parameters."""
        return any(optimizer.use_ema for optimizer in self._inner_optimizers)

    def averages(self, params: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return the parameters with a moving average, each with it."""
        parts = enumerate(self._inner_optimizers if self.built else ())
        return [pair for i, part in parts for pair in part.averages(self._of(i, params))]

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Put moving averages into the parameters, where optimizers keep them."""
        for i, optimizer in enumerate(self._inner_optimizers if self.built else ()):
            optimizer.finalize_variable_values(self._of(i, var_list))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        from pyconv.serialization import serialize_keras_object

        return {
            "optimizer_map": serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "MultiOptimizer":
        """Make an optimizer from what ``get_config`` gave."""
        from pyconv.serialization import deserialize_keras_object

        made = deserialize_keras_object(config["optimizer_map"], custom_objects)
        return cls(**{**config, "optimizer_map": made})


def _kind(optimizer: Optimizer) -> str:
    return "LossScaleOptimizer" if isinstance(optimizer, LossScaleOptimizer) else "MultiOptimizer"
