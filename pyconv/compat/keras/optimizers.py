"""``keras.optimizers``: pyconv's, with the arguments, and on request the rules, of Keras 2.

Under ``compat="keras2"`` they have Keras 2.0's learning rates and epsilons; RMSprop and Adagrad
add epsilon outside the root, ``clipnorm`` is of all gradients together, and Nadam's momentum grows
slower. ``decay`` divides the rate by ``1 + decay * steps`` under either.
"""

import functools
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyconv import backend, optimizers
from pyconv._args import float_arg
from pyconv._types import Array
from pyconv.compat import _classes, _era, _unsupported
from pyconv.compat._autodiff import Taped
from pyconv.compat._graph_updates import GivesUpdates
from pyconv.compat._optimizer_states import States
from pyconv.compat._recording import weights_changed
from pyconv.compat._stateless import Stateless
from pyconv.formats import keras_arguments as _arguments
from pyconv.optimizers.schedules import InverseTimeDecay
from pyconv.optimizers.schedules import serialize as serialize_schedule

# Keras 2.0's, where they are not those of Keras 3.
_DEFAULTS: dict[str, dict[str, float]] = {
    "RMSprop": {"epsilon": 1e-8},
    "Adam": {"epsilon": 1e-8},
    "Adagrad": {"learning_rate": 0.01, "epsilon": 1e-8, "initial_accumulator_value": 0.0},
    "Adadelta": {"learning_rate": 1.0, "epsilon": 1e-8},
    "Adamax": {"learning_rate": 0.002, "epsilon": 1e-8},
    "Nadam": {"learning_rate": 0.002, "epsilon": 1e-8},
}


def _translate(
    cls: type, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _classes.Arguments:
    _arguments.rename(name, kwargs, "lr", "learning_rate")
    if kwargs.get("epsilon", 0) is None:  # Keras 2.1's way to ask for the default
        del kwargs["epsilon"]
    if _era.is_keras2():
        if kwargs.get("clipnorm") is not None and kwargs.get("global_clipnorm") is None:
            kwargs["global_clipnorm"] = kwargs.pop("clipnorm")
        for argument, value in _DEFAULTS.get(name, {}).items():
            if not (argument == "learning_rate" and args):
                kwargs.setdefault(argument, value)
    return args, kwargs


class _Older(GivesUpdates, Stateless):
    """What every optimizer has here: ``lr``, ``decay``, and which version's rule it follows."""

    # Also of optimizers that a file held, which were not made by __init__.
    _keras2 = False
    decay = 0.0
    schedule_decay = 0.004

    _learning_rate: Any
    _iterations: int
    epsilon: float

    def __init__(
        self, *args: Any, decay: Any = 0.0, schedule_decay: float = 0.004, **kwargs: Any
    ) -> None:
        owner = type(self).__name__
        self._keras2 = _era.is_keras2()
        self.decay = float_arg(owner, "decay", decay or 0.0)
        self.schedule_decay = float_arg(owner, "schedule_decay", schedule_decay)
        super().__init__(*args, **kwargs)
        if self.decay and not isinstance(self._learning_rate, float):
            raise ValueError(f"{owner}: decay needs a learning rate that is a number")

    @property
    def lr(self) -> Any:
        """The learning rate, without its decay."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    @property
    def variables(self) -> list[Any]:
        """Steps, learning rate unless it decays, and slots: those of what ``get_config`` says."""
        own: list[Any] = super().variables  # type: ignore[misc]
        return [own[0], *own[2:]] if self.decay else own

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Make one step; see ``pyconv.optimizers.Optimizer.apply``.

        Parameters of other shapes have a state of their own, and so have those of other models that
        were compiled with the optimizer; all share its rate and its number of steps.
        """
        if trainable_variables is not None:
            # A tape's views of parameters.
            given = trainable_variables
            trainable_variables = [np.asarray(v) if type(v) is Taped else v for v in given]
        if trainable_variables is not None and self.built:  # type: ignore[attr-defined]
            self._states.turn_to_shapes(self, trainable_variables)
        super().apply(grads, trainable_variables)  # type: ignore[misc]
        if trainable_variables is not None:
            weights_changed(trainable_variables)

    @property
    def _step_numbers(self) -> list[float]:
        """What a recorded update has that differs from step to step."""
        rate, step = super()._step_numbers  # type: ignore[misc]
        return [self._decayed(rate), step]

    def _note_update(self, params: Sequence[Any]) -> None:
        """Count an update that a recorded step made."""
        super()._note_update(params)  # type: ignore[misc]
        weights_changed(params)

    def _decayed(self, rate: float) -> float:
        return rate / (1 + self.decay * self._iterations)

    def turn_to(self, model: Any) -> None:
        """Have the state of this model."""
        self._states.turn_to_model(self, model)

    @functools.cached_property
    def _states(self) -> States:
        return States()

    def _step(self, grads: Sequence[Array], params: Sequence[Array]) -> None:
        step = super()._step  # type: ignore[misc]
        if not self.decay:
            step(grads, params)
            return
        rate = self._learning_rate
        self._learning_rate = self._decayed(rate)
        try:
            step(grads, params)
        finally:
            self._learning_rate = rate

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; a decay as the schedule that it is."""
        config: dict[str, Any] = super().get_config()  # type: ignore[misc]
        if self.decay:
            schedule = InverseTimeDecay(float(self._learning_rate), 1, self.decay)
            config["learning_rate"] = serialize_schedule(schedule)
        return config


class _OlderRMSprop(_Older):
    def _update(self, params: Sequence[Array], grads: Sequence[Array], weight_decay: float) -> None:
        slots: Any = self._slots  # type: ignore[attr-defined]
        backend.active.rmsprop_update(
            params,
            grads,
            slots["velocity"],
            slots.get("mean_grad"),
            slots.get("momentum"),
            self._rate,  # type: ignore[attr-defined]
            self.rho,  # type: ignore[attr-defined]
            self.momentum,  # type: ignore[attr-defined]
            self.epsilon,
            weight_decay,
            self._keras2,
        )


class _OlderAdagrad(_Older):
    def _rule(self, w: Array, g: Array, state: list[Array], numbers: tuple[float]) -> None:
        if not self._keras2:
            super()._rule(w, g, state, numbers)  # type: ignore[misc]
            return
        (total,) = state
        total += g * g
        w -= numbers[0] * g / (np.sqrt(total) + self.epsilon)


class _OlderNadam(_Older):
    def _u(self, t: int) -> float:
        speed = self.schedule_decay if self._keras2 else 1.0
        return self.beta_1 * (1 - 0.5 * 0.96 ** (t * speed))  # type: ignore[attr-defined,no-any-return]


_names = _classes.all_translated(
    optimizers,
    optimizers.Optimizer,
    __name__,
    _translate,
    {
        "": (_Older,),
        "RMSprop": (_OlderRMSprop,),
        "Adagrad": (_OlderAdagrad,),
        "Nadam": (_OlderNadam,),
    },
)
CLASSES = {found.__name__: found for found in _names.values() if isinstance(found, type)}
# keras.optimizers.rmsprop and the like were classes too.
_names.update({name.lower(): found for name, found in CLASSES.items()})


def get(identifier: Any) -> Any:
    """Return the optimizer of a name, a config, or the optimizer itself, as ``optimizers.get``.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.optimizers.get("adadelta").lr
        1.0
    """
    if isinstance(identifier, str) and identifier.lower() in _names:
        return _names[identifier.lower()]()
    made = optimizers.get(identifier)
    _classes.adopt(made, CLASSES)
    return made


_names.update(get=get, legacy=sys.modules[__name__])
globals().update(_names)
__all__ = sorted(_names)
__getattr__ = _unsupported.getter(__name__, optimizers)
