"""The states of an optimizer that trains several models, or several sets of parameters."""

import weakref
from collections.abc import Sequence
from typing import Any

Shapes = tuple[tuple[int, ...], ...]

# What an optimizer keeps for the parameters that it was built for.
_PARTS = ("built", "_shapes", "_slots", "_pending", "_variables", "_added")


class States:
    """Whose state an optimizer has, and the states of others: by model, and by shapes."""

    def __init__(self) -> None:
        self._model: Any = None  # a weak reference
        self._of_models: Any = weakref.WeakKeyDictionary()
        self._others: dict[Shapes, dict[str, Any]] = {}

    def __reduce__(self) -> Any:
        return States, ()  # a copy of an optimizer is of the state that it has now

    def turn_to_model(self, optimizer: Any, model: Any) -> None:
        """Give the optimizer the states of this model."""
        before = None if self._model is None else self._model()
        if before is model:
            return
        if self._model is not None:
            state = _taken(optimizer)
            if before is not None:
                self._of_models[before] = (state, self._others)
            kept, self._others = self._of_models.pop(model, (None, {}))
            _put(optimizer, kept)
        self._model = weakref.ref(model)

    def turn_to_shapes(self, optimizer: Any, variables: Sequence[Any]) -> None:
        """Give the optimizer the state of parameters of these shapes, a new one if there is none.

        Parameters of other shapes are others of the model, or those of a step of one's own.
        """
        if optimizer._shapes is None:  # the optimizers within have the states
            return
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != optimizer._shapes:
            self._others[tuple(optimizer._shapes)] = _taken(optimizer)
            _put(optimizer, self._others.pop(tuple(shapes), None))


def _taken(optimizer: Any) -> dict[str, Any]:
    return {part: vars(optimizer)[part] for part in _PARTS}


def _put(optimizer: Any, state: dict[str, Any] | None) -> None:
    """Give the optimizer a state, None for that of the beginning; its steps count on."""
    if state is None:
        optimizer._reset_state()
        optimizer.variable_names = None
    else:
        vars(optimizer).update(state)
