"""The base of optimizers that leave the parameters to others."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.optimizers.optimizer import Optimizer
from pyconv.variable import NumberVariable, Variable


class Delegating(Optimizer):
    """An optimizer whose state is a few numbers of its own, and that of other optimizers."""

    _numbers: tuple[str, ...] = ()  # attributes, in the order of ``variables``
    _lists_unused_rate = False  # whether Keras lists a learning rate that it does not use

    def _parts(self) -> list[Optimizer]:
        """Return the other optimizers."""
        raise NotImplementedError

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Put moving averages into the parameters, where they are kept."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return copies of the state, that of the i-th optimizer under ``i/``."""
        state = {"iterations": np.array(self._iterations, np.int64)}
        state.update((name, np.array(getattr(self, name))) for name in self._numbers)
        for i, part in enumerate(self._parts()):
            state.update((f"{i}/{key}", value) for key, value in part.state_dict().items())
        return state

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up what ``state_dict`` gave.

        Raises:
            ValueError: a name is missing or unknown, or a shape or dtype is wrong.
        """
        own = {"iterations", *self._numbers}
        left = {key: value for key, value in state.items() if key not in own}
        if not own <= set(state):
            raise ValueError(
                f"{type(self).__name__}: the state has no {sorted(own - set(state))}; give what "
                "state_dict() returned"
            )
        for i, part in enumerate(self._parts()):
            keys = [key for key in left if key.startswith(f"{i}/")]
            part.load_state_dict({key.partition("/")[2]: left.pop(key) for key in keys})
        if left:
            raise ValueError(f"{type(self).__name__}: the state has unknown {sorted(left)[:3]}")
        self._iterations = int(state["iterations"])
        for name in self._numbers:
            setattr(self, name, state[name].item())

    @property
    def variables(self) -> list[NDArray[Any]]:
        """Steps, the numbers, and the variables of the other optimizers."""
        own = [("_iterations", "iteration"), *((name, name) for name in self._numbers)]
        numbers: list[NDArray[Any]] = [NumberVariable.of(self, *number) for number in own]
        if self._lists_unused_rate:
            numbers.insert(1, Variable(0.0, name="learning_rate"))
        return numbers + [array for part in self._parts() for array in part.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the state from a list as ``variables`` has it.

        Raises:
            ValueError: the optimizer is not built, or there are too many or too few, or a shape
                is wrong.
        """
        owner = type(self).__name__
        if not self.built:
            raise ValueError(
                f"{owner}: You are calling `set_weights()` on an optimizer that has not yet been "
                "built; call build(trainable_variables) first"
            )
        if len(weights) != len(self.variables):
            raise ValueError(
                f"{owner}: set_weights wants {len(self.variables)} arrays, got {len(weights)}"
            )
        first = 2 if self._lists_unused_rate else 1
        at = first + len(self._numbers)
        for part in self._parts():
            count = len(part.variables)
            if part.built:
                part.set_weights(weights[at : at + count])
            at += count
        self._iterations = int(weights[0])
        for name, value in zip(self._numbers, weights[first:], strict=False):
            setattr(self, name, np.asarray(value).item())
