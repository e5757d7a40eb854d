"""The base of every optimizer: common arguments, state, and the order of a step."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import float_arg, int_arg
from pyconv._types import Array
from pyconv.optimizers.clipping import Clipping


class Optimizer:
    """Updates parameters, in place, from their gradients.

    A step clips the gradients, takes the decoupled weight decay
    ``w -= w * weight_decay * learning_rate`` from every parameter, then updates (Keras's order).

    Args:
        learning_rate: a number, 0 or more; also an attribute that may be set between steps.
        weight_decay: decoupled decay (Loshchilov and Hutter, 2019), or None.
        clipnorm: largest L2 norm of each parameter's gradient, or None.
        clipvalue: largest magnitude of an element of a gradient, or None.
        global_clipnorm: largest L2 norm of all gradients together, or None. At most one of the
            three may be given.
        use_ema: not supported; must be False.
        ema_momentum: has no effect while ``use_ema`` is False.
        ema_overwrite_frequency: not supported; must be None.
        loss_scale_factor: not supported; must be None.
        gradient_accumulation_steps: not supported; must be None.
        name: the optimizer's name.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range, unknown or not supported.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0], np.float32)
        >>> optimizer = pyconv.optimizers.SGD(learning_rate=0.5)
        >>> optimizer.apply([np.array([1.0, 1.0], np.float32)], [w])
        >>> w.tolist()
        [0.5, 1.5]
    """

    def __init__(
        self,
        learning_rate: float,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str = "optimizer",
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        _refuse_unknown(owner, kwargs)
        _refuse_unsupported(
            owner,
            use_ema=use_ema or None,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
        )
        self.learning_rate = learning_rate
        self.weight_decay = (
            None if weight_decay is None else float_arg(owner, "weight_decay", weight_decay)
        )
        self._clipping = Clipping(owner, clipnorm, clipvalue, global_clipnorm)
        self.ema_momentum = float_arg(owner, "ema_momentum", ema_momentum, 0.0, 1.0)
        self.name = name
        self.iterations = 0
        self._shapes: list[tuple[int, ...]] | None = None
        self._slots: dict[str, list[Array]] = {}
        self._pending: dict[str, Array] | None = None

    @property
    def learning_rate(self) -> float:
        """Step size of the next update."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        owner = type(self).__name__
        if callable(value):
            raise TypeError(
                f"{owner}: learning_rate must be a number, got {value!r}; for a rate that changes "
                "use callbacks.LearningRateScheduler"
            )
        self._learning_rate = float_arg(owner, "learning_rate", value)

    @property
    def lr(self) -> float:
        """Not an attribute: says that the name is ``learning_rate``."""
        raise AttributeError(f"{type(self).__name__} has no attribute 'lr': use learning_rate")

    @lr.setter
    def lr(self, value: float) -> None:
        raise AttributeError(f"{type(self).__name__} has no attribute 'lr': use learning_rate")

    @property
    def built(self) -> bool:
        """Whether the state for the parameters exists."""
        return self._shapes is not None

    def build(self, trainable_variables: Sequence[Array]) -> None:
        """Make the state for these parameters; the first step does it otherwise.

        Raises:
            ValueError: the optimizer is already built for parameters of other shapes, or the
                state that ``load_state_dict`` left to be taken up does not fit these.
        """
        shapes = [array.shape for array in trainable_variables]
        if self._shapes is not None:
            if shapes != self._shapes:
                raise ValueError(
                    f"{type(self).__name__}: built for {_described(self._shapes)}, got "
                    f"{_described(shapes)}; after a change of `trainable` or for another model, "
                    "compile with a new optimizer"
                )
            return
        self._slots = self._made_slots(shapes, self._pending)
        self._shapes, self._pending = shapes, None

    def apply(self, grads: Sequence[Array], trainable_variables: Sequence[Array]) -> None:
        """Make one step: update ``trainable_variables`` in place.

        Args:
            grads: one float32 array a parameter; not modified.
            trainable_variables: writable, C-contiguous float32 arrays, the same at every step.

        Raises:
            TypeError: an array is not float32.
            ValueError: numbers or shapes of the arrays differ.
        """
        if len(grads) != len(trainable_variables):
            raise ValueError(
                f"{type(self).__name__}: grads must hold {len(trainable_variables)} arrays, one a "
                f"parameter, got {len(grads)}"
            )
        self.build(trainable_variables)
        self._update(trainable_variables, self._clipping(grads), self.weight_decay or 0.0)
        self.iterations += 1

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Array, Array]]) -> None:
        """Make one step from (gradient, parameter) pairs; see ``apply``."""
        pairs = list(grads_and_vars)
        self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])

    def _made_slots(
        self, shapes: list[tuple[int, ...]], state: Mapping[str, Array] | None
    ) -> dict[str, list[Array]]:
        """Return slots of zeros, or those of a state, which must fit."""
        slots = {name: [np.zeros(s, np.float32) for s in shapes] for name in self._slot_names()}
        if state is not None:
            _fill(type(self).__name__, slots, state)
        return slots

    def _slot_names(self) -> tuple[str, ...]:
        """Names of the arrays that the optimizer keeps beside each parameter."""
        raise NotImplementedError

    def _update(self, params: Sequence[Array], grads: Sequence[Array], weight_decay: float) -> None:
        """One native call that updates every parameter."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return copies of the state: ``iterations``, and ``slot/i`` of the i-th parameter.

        Example:
            >>> import pyconv
            >>> pyconv.optimizers.Adam().state_dict()
            {'iterations': array(0)}
        """
        state: dict[str, NDArray[Any]] = {"iterations": np.array(self.iterations, np.int64)}
        if self._pending is not None:
            state.update((key, array.copy()) for key, array in self._pending.items())
        for name, arrays in self._slots.items():
            state.update((f"{name}/{i}", array.copy()) for i, array in enumerate(arrays))
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
        self.iterations = iterations

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            "name": self.name,
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self._clipping.clipnorm,
            "clipvalue": self._clipping.clipvalue,
            "global_clipnorm": self._clipping.global_clipnorm,
            "use_ema": False,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": None,
            "loss_scale_factor": None,
            "gradient_accumulation_steps": None,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Optimizer":
        """Make an optimizer from what ``get_config`` gave."""
        return cls(**config)


def _refuse_unknown(owner: str, kwargs: dict[str, Any]) -> None:
    if "lr" in kwargs:
        raise ValueError(f"{owner}: unknown argument 'lr'; use learning_rate")
    if kwargs.pop("decay", None) is not None:
        warnings.warn(
            f"{owner}: `decay` is no longer supported and will be ignored; use "
            "callbacks.LearningRateScheduler",
            stacklevel=4,
        )
    if kwargs:
        raise ValueError(f"{owner}: Argument(s) not recognized: {kwargs}")


def _refuse_unsupported(owner: str, **arguments: Any) -> None:
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(f"{owner}: {name} is not supported, got {value!r}; leave it out")


def _described(shapes: list[tuple[int, ...]]) -> str:
    shown = ", ".join(str(shape) for shape in shapes[:4])
    return f"{len(shapes)} parameters ({shown}{', ...' if len(shapes) > 4 else ''})"


def _checked_state(
    owner: str, state: Mapping[str, NDArray[Any]], slot_names: tuple[str, ...]
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


def _fill(owner: str, slots: dict[str, list[Array]], state: Mapping[str, Array]) -> None:
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
