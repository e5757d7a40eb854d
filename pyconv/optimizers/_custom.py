"""What Keras offers to those who write an optimizer of their own."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pyconv import initializers
from pyconv._types import Array
from pyconv.optimizers._state import Shape, Stateful
from pyconv.variable import Variable


class CustomVariables(Stateful):
    """Variables that a subclass makes in ``build`` and assigns to in ``update_step``."""

    def _reset_state(self) -> None:
        super()._reset_state()
        self._added: list[tuple[str, ...]] = []
        self._updated: Sequence[Any] = []

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return self._added

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Any], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Return a new variable beside each parameter; of several names, a list for each name."""
        names = [name] if isinstance(name, str) else list(name)
        given = initializer if isinstance(initializer, (list, tuple)) else [initializer]
        made = list(given) * len(names) if len(given) == 1 else list(given)
        if len(made) != len(names):
            raise ValueError(
                f"{type(self).__name__}: The number of provided names must match the number of "
                f"provided initializers, got {names} and {len(made)}"
            )
        self._added.append(tuple(names))
        for one, how in zip(names, made, strict=True):
            self._slots[one] = [
                self._made(one, tuple(variable.shape), how) for variable in trainable_variables
            ]
        return self._slots[name] if isinstance(name, str) else [self._slots[n] for n in names]

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Return a new variable of a parameter's shape."""
        name = name or "var"
        if (name,) not in self._added:
            self._added.append((name,))
        made = self._made(name, tuple(reference_variable.shape), initializer)
        self._slots.setdefault(name, []).append(made)
        return made

    def add_variable(
        self, shape: Shape, initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Return a new variable of any shape."""
        return self.add_variable_from_reference(np.empty(shape), name, initializer)

    def assign(self, variable: Array, value: Any) -> None:
        """Set a parameter or a variable."""
        variable[...] = value

    def assign_add(self, variable: Array, value: Any) -> None:
        """Add to a parameter or a variable."""
        variable[...] = np.asarray(variable) + value

    def assign_sub(self, variable: Array, value: Any) -> None:
        """Subtract from a parameter or a variable."""
        variable[...] = np.asarray(variable) - value

    def _get_variable_index(self, variable: Any) -> int:
        for known in (self._updated, self._variables):
            for i, other in enumerate(known):
                if other is variable:
                    return i
        raise ValueError(
            f"{type(self).__name__}: Unknown variable of shape {np.shape(variable)}; an optimizer "
            "updates only the parameters that it was built for"
        )

    @staticmethod
    def _made(name: str, shape: Shape, initializer: Any) -> Variable:
        function: Callable[..., Any] = initializers.get(initializer)
        return Variable(function, shape, np.float32, trainable=False, name=name)
