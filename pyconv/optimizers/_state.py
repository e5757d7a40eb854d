"""What an optimizer keeps from step to step: its slots, and how they are saved and restored."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _aligned, backend
from pyconv._args import int_arg
from pyconv._types import Array
from pyconv.variable import NumberVariable, Variable

if TYPE_CHECKING:
    from pyconv.optimizers._extras import Extras

Shape = tuple[int, ...]


class Stateful:
    """The number of steps, and arrays beside each parameter: ``_slots[name][i]`` of the i-th."""

    name: str
    variable_names: Sequence[str] | None
    _extras: "Extras"
    _iterations: int
    _learning_rate: Any

    def _reset_state(self) -> None:
        # Whether the state for the parameters exists.
        self.built = False
        self._shapes: list[Shape] | None = None
        self._slots: dict[str, list[Array]] = {}
        self._pending: dict[str, Array] | None = None
        self._variables: list[Any] = []
        self._generation = backend.generation

    # --- what a kind of optimizer says ----------------------------------------------------------

    def _slot_groups(self) -> list[tuple[str, ...]]:
        """Names of the arrays kept beside each parameter.

        Keras lists those of a group parameter by parameter, and groups one after the other.
        """
        return []

    def _new_slot(self, name: str, shape: Shape) -> Array:
        """Return the array of that name at the beginning."""
        return _aligned.zeros(shape)

    def _slot_names(self) -> list[str]:
        own = [name for group in self._slot_groups() for name in group]
        return [*self._extras.slot_names(), *own]

    # --- building -------------------------------------------------------------------------------

    def _make_state(self, variables: Sequence[Any]) -> None:
        shapes = [tuple(variable.shape) for variable in variables]
        if self._shapes is not None:
            if shapes != self._shapes:
                raise self._of_other_shapes(variables)
            return
        self._slots = self._made_slots(shapes, self._pending)
        self._shapes, self._pending, self.built = shapes, None, True
        self._variables = list(variables)

    def _of_other_shapes(self, variables: Sequence[Any]) -> ValueError:
        return ValueError(
            f"{type(self).__name__}: built for {described(self._shapes or [])}, got "
            f"{described([variable.shape for variable in variables])}; after a change of "
            "`trainable` or for another model, compile with a new optimizer"
        )

    def _known(self, grads: Sequence[Any]) -> list[Any]:
        if self._shapes is None:
            raise ValueError(
                f"{type(self).__name__}: apply without trainable_variables needs a built "
                "optimizer; call build(trainable_variables) first"
            )
        return self._variables

    def _made_slots(
        self, shapes: list[Shape], state: Mapping[str, Array] | None
    ) -> dict[str, list[Array]]:
        """Return new slots, or those of a state, which must fit."""
        slots = {
            name: [backend.on_device(self._new_slot(name, shape)) for shape in shapes]
            for name in self._slot_names()
        }
        if state is not None:
            fill(type(self).__name__, slots, state)
        return slots

    def _move_slots(self) -> None:
        """Bring the slots to where operations run; variables of the user's stay numpy's."""
        for arrays in self._slots.values():
            arrays[:] = [
                array if isinstance(array, Variable) else backend.on_device(array)
                for array in arrays
            ]
        self._generation = backend.generation

    @contextlib.contextmanager
    def _state_of(self, indices: Sequence[int]) -> Iterator[None]:
        """Within, the slots are those of some parameters."""
        slots = self._slots
        self._slots = {name: [arrays[i] for i in indices] for name, arrays in slots.items()}
        try:
            yield
        finally:
            self._slots = slots

    def __getstate__(self) -> dict[str, Any]:
        # A copy is of the optimizer alone, not of the parameters that it was given.
        return {**self.__dict__, "_variables": []}

    # --- the state as a dict, and as Keras's list -----------------------------------------------

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return copies of the state: ``iterations``, and ``slot/i`` of the i-th parameter.

        Example:
            >>> import pyconv
            >>> pyconv.optimizers.Adam().state_dict()
            {'iterations': array(0)}
        """
        state: dict[str, NDArray[Any]] = {"iterations": np.array(self._iterations, np.int64)}
        if self._pending is not None:
            state.update((key, array.copy()) for key, array in self._pending.items())
        for name, arrays in self._slots.items():
            state.update((f"{name}/{i}", np.array(array)) for i, array in enumerate(arrays))
        return state

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up what ``state_dict`` gave; the optimizer is unchanged where it does not fit.

        Before the first step, shapes can be checked only against each other: the rest is
        checked when the parameters are known (``build``, or the first step).

        Raises:
            ValueError: a name is missing or unknown, or a shape or dtype is wrong.
        """
        owner = type(self).__name__
        iterations, slots = _checked_state(owner, state, self._slot_names())
        if self._shapes is None:
            self._pending = slots or None
        else:
            self._slots = self._made_slots(self._shapes, slots or None)
        self._iterations = iterations

    @property
    def variables(self) -> list[NDArray[Any]]:
        """Steps, learning rate (unless a schedule sets it) and the slots, in Keras's order.

        The slots are the optimizer's own arrays, not copies.
        """
        numbers: list[Any] = [NumberVariable.of(self, "_iterations", "iteration")]
        if isinstance(self._learning_rate, float):
            numbers.append(NumberVariable.of(self, "_learning_rate", "learning_rate"))
        slots = [
            array.view(Variable) if type(array) is np.ndarray else array
            for array in self._ordered()
        ]
        names = self._names_of_ordered()
        for slot, name in zip(slots, names if len(names) == len(slots) else (), strict=False):
            if isinstance(slot, Variable):
                slot.name = name
        for variable in [*numbers, *slots]:
            if isinstance(variable, Variable):
                variable._path = f"{self.name}/{variable.name}"
        return numbers + slots

    def _names_of_ordered(self) -> list[str]:
        """Return Keras's names of the slots: that of the parameter, then what the slot is."""
        own = self.variable_names
        return [
            f"{own[i].replace('/', '_') if own and i < len(own) else f'variable_{i}'}_{name}"
            for group in self._groups()
            for i in range(len(self._slots.get(group[0], [])))
            for name in group
        ]

    def _groups(self) -> list[tuple[str, ...]]:
        return [(name,) for name in self._extras.slot_names()] + self._slot_groups()

    def _ordered(self) -> list[Array]:
        return [
            array
            for group in self._groups()
            for arrays in zip(*(self._slots.get(name, []) for name in group), strict=True)
            for array in arrays
        ]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the state from a list as ``variables`` has it.

        Raises:
            ValueError: the optimizer is not built, or there are too many or too few, or a shape
                is wrong; nothing is changed.
        """
        owner = type(self).__name__
        if not self.built:
            raise ValueError(
                f"{owner}: You are calling `set_weights()` on an optimizer that has not yet been "
                "built; call build(trainable_variables) first"
            )
        own = self.variables
        values = [np.asarray(weight) for weight in weights]
        if [value.shape for value in values] != [array.shape for array in own]:
            raise ValueError(
                f"{owner}: set_weights wants {described([a.shape for a in own])}, got "
                f"{described([value.shape for value in values])}"
            )
        self._iterations = int_arg(owner, "iterations", int(values[0]), 0, 2**63 - 1)
        slots = self._ordered()
        # The same number stays as it was given, not rounded to float32.
        if len(own) - len(slots) == 2 and np.float32(own[1]) != np.float32(values[1]):
            self._learning_rate = float(values[1])
        for array, value in zip(slots, values[len(own) - len(slots) :], strict=True):
            array[...] = value

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put ``variables`` into a mapping, under '0', '1', ..."""
        store.update((str(i), array) for i, array in enumerate(self.variables))

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take ``variables`` from what ``save_own_variables`` filled.

        A mapping of another number of variables is left alone, with a warning, as Keras does.
        """
        if len(store) != len(self.variables):
            warnings.warn(
                f"{type(self).__name__}: Skipping variable loading, because it has "
                f"{len(self.variables)} variables whereas the saved optimizer has {len(store)}",
                stacklevel=2,
            )
            return
        self.set_weights([store[str(i)] for i in range(len(store))])


def described(shapes: list[Shape]) -> str:
    """Return how errors call these parameters."""
    shown = ", ".join(str(shape) for shape in shapes[:4])
    return f"{len(shapes)} parameters ({shown}{', ...' if len(shapes) > 4 else ''})"


def _checked_state(
    owner: str, state: Mapping[str, NDArray[Any]], slot_names: list[str]
) -> tuple[int, dict[str, Array]]:
    """Return (iterations, copies of the slots) of a state whose names and dtypes are right."""
    if "iterations" not in state:
        raise ValueError(f"{owner}: the state has no 'iterations'; give what state_dict() returned")
    steps = np.asarray(state["iterations"])
    if steps.size != 1 or steps.dtype.kind not in "iu":
        raise ValueError(f"{owner}: iterations must be one integer, got {state['iterations']!r}")
    iterations = int_arg(owner, "iterations", steps.reshape(())[()], 0, 2**63 - 1)
    names = set(state) - {"iterations"}
    count = -(-len(names) // len(slot_names)) if slot_names else 0
    if slot_names and iterations and not names:
        raise ValueError(f"{owner}: the state must hold {', '.join(slot_names)} of each parameter")
    wanted = {f"{slot}/{i}" for slot in slot_names for i in range(count)}
    if names != wanted:
        unknown, missing = sorted(names - wanted), sorted(wanted - names)
        raise ValueError(
            f"{owner}: the state does not fit, it must hold {', '.join(slot_names) or 'no slots'} "
            f"for each parameter: unknown {unknown[:3]}, missing {missing[:3]}"
        )
    slots: dict[str, Array] = {}
    for key in sorted(names):
        array = np.asarray(state[key])
        if array.dtype != np.float32:
            raise ValueError(f"{owner}: {key} must be a float32 array, got {array.dtype}")
        slots[key] = np.array(array, np.float32, order="C")
    return iterations, slots


def fill(owner: str, slots: dict[str, list[Array]], state: Mapping[str, Array]) -> None:
    """Copy the state into fresh slots, whose shapes it must have."""
    count = sum(len(arrays) for arrays in slots.values())
    if count != len(state):
        raise ValueError(f"{owner}: the state must hold {count} arrays, got {len(state)}")
    for name, arrays in slots.items():
        for i, array in enumerate(arrays):
            loaded = state[f"{name}/{i}"]
            if loaded.shape != array.shape:
                raise ValueError(
                    f"{owner}: {name}/{i} must have shape {array.shape}, got {loaded.shape}"
                )
            array[...] = loaded
