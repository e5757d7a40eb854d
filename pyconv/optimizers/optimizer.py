"""The base of every optimizer: common arguments, and the order of a step."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import float_arg, shown
from pyconv._names import auto_name
from pyconv._types import Array
from pyconv.optimizers._custom import CustomVariables
from pyconv.optimizers._decay import Exclusion
from pyconv.optimizers._extras import AVERAGE, Extras
from pyconv.optimizers._recorded import Recorded
from pyconv.optimizers.clipping import Clipping
from pyconv.optimizers.schedules.schedule import LearningRateSchedule


class Optimizer(Recorded, CustomVariables):
    """Updates parameters, in place, from their gradients.

    A step clips the gradients, takes the decoupled weight decay
    ``w -= w * weight_decay * learning_rate`` from the parameters, then updates (Keras's order),
    and after that takes up the moving average of the parameters.

    An optimizer of one's own defines ``update_step`` and, for arrays that it keeps beside the
    parameters, ``build``, which makes them by ``add_optimizer_variables``.

    Args:
        learning_rate: a number, 0 or more; a ``schedules.LearningRateSchedule``, which is given
            the number of steps so far; or a function without arguments. Also an attribute that
            may be set between steps.
        weight_decay: decoupled decay (Loshchilov and Hutter, 2019), or None.
        clipnorm: largest L2 norm of each parameter's gradient, or None.
        clipvalue: largest magnitude of an element of a gradient, or None.
        global_clipnorm: largest L2 norm of all gradients together, or None. At most one of the
            three may be given.
        use_ema: whether to keep a moving average of the parameters, which ``fit`` leaves in the
            model at its end.
        ema_momentum: how much of the average a step keeps, 0 to 1.
        ema_overwrite_frequency: steps after which the average replaces the parameters, or None.
        loss_scale_factor: what the loss was multiplied by: gradients are divided by it.
        gradient_accumulation_steps: 2 or more: so many steps' gradients are averaged before the
            parameters change; None for each step's own.
        name: the optimizer's name; by default the class in snake case, counted.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

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
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        _refuse_unknown(owner, kwargs)
        self.name = auto_name(owner) if name is None else name
        self._learning_rate: Any = None
        self.learning_rate = learning_rate
        self.weight_decay = (
            None if weight_decay is None else float_arg(owner, "weight_decay", weight_decay)
        )
        self._clipping = Clipping(owner, clipnorm, clipvalue, global_clipnorm)
        self._extras = Extras(
            owner,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
        )
        self._exclusion: Exclusion | None = None
        # Paths of the parameters, such as 'dense/kernel', where they are arrays without; a model
        # sets them.
        self.variable_names: Sequence[str] | None = None
        self._iterations = 0
        self._reset_state()

    # --- a step ---------------------------------------------------------------------------------

    def build(self, trainable_variables: Sequence[Any]) -> None:
        """Make the state for these parameters; the first step does it otherwise.

        Raises:
            ValueError: the optimizer is already built for parameters of other shapes, or the
                state that ``load_state_dict`` left to be taken up does not fit these.
        """
        self._make_state(trainable_variables)
        if self._exclusion is not None:
            self._exclusion.resolve(trainable_variables, self.variable_names)
        self._extras.wrap(trainable_variables)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Make one step: update ``trainable_variables`` in place.

        Args:
            grads: one float32 array a parameter; not modified. A parameter whose gradient is None
                is left as it is.
            trainable_variables: writable, C-contiguous float32 arrays, the same at every step;
                None for those that ``build`` was given.

        Raises:
            TypeError: an array does not hold numbers.
            ValueError: numbers or shapes of the arrays differ, or no gradient is given.
        """
        owner = type(self).__name__
        variables = self._known(grads) if trainable_variables is None else trainable_variables
        if len(grads) != len(variables):
            raise ValueError(
                f"{owner}: grads must hold {len(variables)} arrays, one a parameter, got "
                f"{len(grads)}"
            )
        if [variable.shape for variable in variables] != self._shapes:
            if self.built:
                raise self._of_other_shapes(variables)
            self.build(variables)
        if self._generation != backend.generation:
            self._move(variables)
        try:
            if self._extras.active:
                self._extras.step(self, grads, variables)
            else:
                self._step(grads, variables)
        except (AttributeError, TypeError, ValueError):
            _require_numbers(owner, grads, variables)
            raise
        self._iterations += 1

    @property
    def overwritten(self) -> list[int]:
        """Numbers of the parameters that ``overwrite_with_gradient`` says to replace.

        Example:
            >>> import pyconv
            >>> w = pyconv.variable.Variable([1.0])
            >>> w.overwrite_with_gradient = True
            >>> optimizer = pyconv.optimizers.SGD()
            >>> optimizer.build([w])
            >>> optimizer.overwritten
            [0]
        """
        return self._extras.overwritten

    def _move(self, variables: Sequence[Any]) -> None:
        """Bring the state to where operations run."""
        self._move_slots()
        self._clipping.forget()
        self._extras.wrap(variables)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> int:
        """Make one step from (gradient, parameter) pairs; return how many were made."""
        try:
            pairs = [(grad, variable) for grad, variable in grads_and_vars]
        except (TypeError, ValueError):
            raise TypeError(
                f"{type(self).__name__}: apply_gradients wants pairs (gradient, parameter), such "
                f"as zip(grads, params), got {shown(grads_and_vars)}"
            ) from None
        self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def _step(self, grads: Sequence[Array], params: Sequence[Array]) -> None:
        """Clip, decay and update."""
        for grad in grads:
            if grad is None:
                self._step_of_some(grads, params)
                return
        decay = self._decay(params)
        try:
            self._update(params, self._clipping(grads), decay)
        except TypeError:
            # Native code checks all arrays before it changes the first.
            _require_numbers(type(self).__name__, grads, params)
            converted = [backend.float32(grad) for grad in grads]
            if all(a is b for a, b in zip(converted, grads, strict=True)):
                raise
            self._update(params, self._clipping(converted), decay)

    def _decay(self, params: Sequence[Array]) -> float:
        """Return the weight decay of all parameters, or take it from those that have one."""
        decay = self.weight_decay or 0.0
        if self._exclusion is None or not decay:
            return decay
        self._exclusion.decay(params, decay * self.learning_rate)
        return 0.0

    def _step_of_some(self, grads: Sequence[Any], params: Sequence[Array]) -> None:
        """Make the step for those parameters that have a gradient."""
        given = [i for i, grad in enumerate(grads) if grad is not None]
        if not given:
            raise ValueError(f"{type(self).__name__}: No gradients provided for any variable.")
        left_out = [i for i in range(len(grads)) if i not in given]
        warnings.warn(
            f"{type(self).__name__}: Gradients do not exist for variables {left_out}; they are "
            "left as they are",
            stacklevel=4,
        )
        exclusion = self._exclusion
        with self._state_of(given):
            if exclusion is not None:
                self._exclusion = exclusion.of(given)
            try:
                self._step([grads[i] for i in given], [params[i] for i in given])
            finally:
                self._exclusion = exclusion

    def _update(self, params: Sequence[Array], grads: Sequence[Array], weight_decay: float) -> None:
        """Update every parameter."""
        rate = self.learning_rate
        self._updated = params
        for param, grad in zip(params, grads, strict=True):
            if weight_decay:
                param -= param * (weight_decay * rate)
            self.update_step(backend.float32(grad), param, rate)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        """Update one parameter: what an optimizer of one's own defines."""
        raise NotImplementedError(f"{type(self).__name__} must define update_step")

    def _clip_gradients(self, grads: Sequence[Array]) -> Sequence[Array]:
        return self._clipping(grads)

    @property
    def loss_scale_factor(self) -> float | None:
        """What the loss was multiplied by, or None."""
        return self._extras.loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._extras.set_loss_scale(value)

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss times ``loss_scale_factor``."""
        factor = self._extras.loss_scale_factor
        return loss if factor is None else loss * factor

    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave parameters out of the weight decay; to be called before the first step.

        Args:
            var_list: parameters to leave out.
            var_names: patterns; a parameter in whose name one of them is found is left out, such
                as ``['bias']``.

        Raises:
            ValueError: the optimizer is built already.
        """
        if self.built:
            raise ValueError(
                f"{type(self).__name__}: `exclude_from_weight_decay()` can only be configured "
                "before the optimizer is built"
            )
        self._exclusion = Exclusion(var_list, var_names)

    def averages(self, params: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return each parameter with its moving average, none where there is none."""
        kept = self._slots.get(AVERAGE, [])
        return list(zip(params, kept, strict=True)) if kept else []

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Put the moving average into the parameters, where one is kept."""
        if self._extras.use_ema and self.built:
            self._extras.overwrite(self, var_list)

    # --- configuration --------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        from pyconv.optimizers import schedules

        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            rate = schedules.serialize(rate)
        return {
            "name": self.name,
            "learning_rate": rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self._clipping.clipnorm,
            "global_clipnorm": self._clipping.global_clipnorm,
            "clipvalue": self._clipping.clipvalue,
            **self._extras.get_config(),
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "Optimizer":
        """Make an optimizer from what ``get_config`` gave."""
        from pyconv.optimizers import schedules

        arguments = dict(config)
        if isinstance(arguments.get("learning_rate"), Mapping):
            arguments["learning_rate"] = schedules.deserialize(
                arguments["learning_rate"], custom_objects
            )
        return cls(**arguments)


def _require_numbers(owner: str, grads: Sequence[Any], variables: Sequence[Any]) -> None:
    for i, (grad, variable) in enumerate(zip(grads, variables, strict=True)):
        kind = getattr(getattr(grad, "dtype", None), "kind", "f")
        if grad is not None and (not hasattr(grad, "shape") or kind not in "biuf"):
            raise TypeError(
                f"{owner}: grads[{i}] must be an array of numbers of shape {variable.shape}, got "
                f"{shown(grad)}"
            ) from None


def _refuse_unknown(owner: str, kwargs: dict[str, Any]) -> None:
    if "lr" in kwargs:
        raise ValueError(f"{owner}: unknown argument 'lr'; use learning_rate")
    if kwargs.pop("decay", None) is not None:
        warnings.warn(
            f"{owner}: Argument `decay` is no longer supported and will be ignored; use "
            "optimizers.schedules.InverseTimeDecay",
            stacklevel=4,
        )
    if kwargs:
        raise ValueError(f"{owner}: Argument(s) not recognized: {kwargs}")


def momentum_arg(owner: str, value: Any) -> float:
    """Return ``value`` as a momentum, 0 to 1."""
    momentum = float_arg(owner, "momentum", value, -np.inf, np.inf)
    if not 0 <= momentum <= 1:
        raise ValueError(
            f"{owner}: `momentum` must be a float between [0, 1]. Received: momentum={value}"
        )
    return momentum
