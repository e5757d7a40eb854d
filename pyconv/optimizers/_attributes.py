"""What can be asked of an optimizer, and its learning rate, which can be set."""

import inspect
from typing import Any

from pyconv._args import ArgumentTypeError, float_arg, shown
from pyconv._scalars import Count, Rate
from pyconv.optimizers._extras import AVERAGE, SUM
from pyconv.optimizers._state import Stateful
from pyconv.optimizers.clipping import Clipping
from pyconv.optimizers.schedules.schedule import LearningRateSchedule
from pyconv.variable import Variable


class Attributes(Stateful):
    """The constructor's arguments as attributes."""

    _clipping: Clipping

    @property
    def learning_rate(self) -> Any:
        """Step size of the next update."""
        rate = self._learning_rate
        if isinstance(rate, float):
            # Made anew: one that is kept would keep the optimizer and its state with it.
            return Rate(rate, self)
        if isinstance(rate, LearningRateSchedule):
            return float_arg(type(self).__name__, "learning_rate", rate(self._iterations))
        return float_arg(type(self).__name__, "learning_rate", rate())

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value):
            self._learning_rate = self._rate_function(value)
            return
        if isinstance(self._learning_rate, LearningRateSchedule):
            raise TypeError(
                f"{type(self).__name__}: This optimizer was created with a `LearningRateSchedule` "
                "object as its `learning_rate` constructor argument, hence its learning rate is "
                "not settable; construct it with a number to set it"
            )
        self._learning_rate = float_arg(type(self).__name__, "learning_rate", value)

    def _rate_function(self, value: Any) -> Any:
        """Return a schedule, or a function that can be called without arguments."""
        if isinstance(value, LearningRateSchedule):
            return value
        try:
            inspect.signature(value).bind()
        except TypeError:
            raise ArgumentTypeError(
                f"{type(self).__name__}: learning_rate must be a number, a LearningRateSchedule or "
                f"a function without arguments, got {shown(value)}, which takes some; make a "
                "LearningRateSchedule of a function of the step"
            ) from None
        except ValueError:  # of one written in C it is not known
            pass
        return value

    def freeze(self) -> None:
        """Set the learning rate to 0, also where a schedule sets it."""
        self._learning_rate = 0.0

    @property
    def lr(self) -> float:
        """Not an attribute: says that the name is ``learning_rate``."""
        raise AttributeError(f"{type(self).__name__} has no attribute 'lr': use learning_rate")

    @lr.setter
    def lr(self, value: float) -> None:
        raise AttributeError(f"{type(self).__name__} has no attribute 'lr': use learning_rate")

    @property
    def iterations(self) -> Count:
        """How many updates were made."""
        return Count(self._next_update() - 1)

    def _next_update(self) -> int:
        """Return the number, from 1, of the next update."""
        micro_steps = self._extras.accumulation_steps
        return self._iterations + 1 if micro_steps is None else self._iterations // micro_steps + 1

    @property
    def clipnorm(self) -> float | None:
        """Largest norm of a parameter's gradient."""
        return self._clipping.clipnorm

    @property
    def clipvalue(self) -> float | None:
        """Largest magnitude of an element of a gradient."""
        return self._clipping.clipvalue

    @property
    def global_clipnorm(self) -> float | None:
        """Largest norm of all gradients together."""
        return self._clipping.global_clipnorm

    @property
    def use_ema(self) -> bool:
        """Whether a moving average of the parameters is kept."""
        return self._extras.use_ema

    @property
    def ema_momentum(self) -> float:
        """How much of the moving average a step keeps."""
        return self._extras.ema_momentum

    @property
    def ema_overwrite_frequency(self) -> int | None:
        """Steps after which the moving average replaces the parameters."""
        return self._extras.ema_overwrite_frequency

    @property
    def gradient_accumulation_steps(self) -> int | None:
        """How many steps' gradients are averaged for an update."""
        return self._extras.accumulation_steps

    @property
    def _model_variables_moving_average(self) -> list[Variable]:
        return [array.view(Variable) for array in self._slots.get(AVERAGE, [])]

    @property
    def _accumulated_gradients(self) -> list[Variable]:
        return [array.view(Variable) for array in self._slots.get(SUM, [])]
