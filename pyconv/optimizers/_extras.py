"""What a step may do beside the update: accumulate gradients, average parameters, unscale."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyconv import backend
from pyconv._args import bool_arg, float_arg, int_arg
from pyconv._types import Array

if TYPE_CHECKING:
    from pyconv.optimizers.optimizer import Optimizer

AVERAGE, SUM = "average", "gradient_accumulator"


class Extras:
    """The arguments of ``Optimizer`` that most optimizers leave as they are.

    A step without any of them never comes here.
    """

    def __init__(
        self,
        owner: str,
        use_ema: bool,
        ema_momentum: float,
        ema_overwrite_frequency: int | None,
        loss_scale_factor: float | None,
        gradient_accumulation_steps: int | None,
    ) -> None:
        self.use_ema = bool_arg(owner, "use_ema", use_ema)
        self.ema_momentum = float_arg(owner, "ema_momentum", ema_momentum, 0.0, 1.0)
        self.ema_overwrite_frequency = (
            None
            if ema_overwrite_frequency is None
            else int_arg(owner, "ema_overwrite_frequency", ema_overwrite_frequency)
        )
        self._owner = owner
        self.active = False
        self.set_loss_scale(loss_scale_factor)
        steps = gradient_accumulation_steps
        off = steps is None or (isinstance(steps, int) and steps == 0)
        self.accumulation_steps = (
            None if off else int_arg(owner, "gradient_accumulation_steps", steps, 2)
        )
        self._wrapped = self._constrained = False
        self.overwritten: list[int] = []  # numbers of parameters that gradients replace
        self.active = bool(self.active or self.use_ema or self.accumulation_steps)

    def set_loss_scale(self, value: float | None) -> None:
        """Set the factor of the loss, None for none."""
        if value is not None:
            value = float_arg(self._owner, "loss_scale_factor", value)
            if value == 0:
                raise ValueError(
                    f"{self._owner}: loss_scale_factor must be above 0, got 0; leave it out"
                )
            self.active = True
        self.loss_scale_factor = value

    def slot_names(self) -> list[str]:
        """Names of the arrays that are kept for each parameter."""
        return [AVERAGE] * self.use_ema + [SUM] * bool(self.accumulation_steps)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.accumulation_steps,
        }

    def wrap(self, variables: Sequence[Any]) -> None:
        """Note what is special of the parameters: no arrays that kernels take, or constrained."""
        self._wrapped = not all(_is_plain(variable) for variable in variables)
        self._constrained = any(getattr(v, "constraint", None) is not None for v in variables)
        self.overwritten = [
            i for i, v in enumerate(variables) if getattr(v, "overwrite_with_gradient", False)
        ]
        self.active = bool(self.active or self._wrapped or self._constrained or self.overwritten)

    def step(self, optimizer: "Optimizer", grads: Sequence[Any], variables: Sequence[Any]) -> None:
        """Make a step of the optimizer with what was asked for."""
        params = [_plain(v) for v in variables] if self._wrapped else variables
        values: dict[int, Any] = {}
        if self.overwritten:
            grads, values = self._taken_out(optimizer, grads)
        if self.loss_scale_factor is not None:
            scale = np.float32(1 / self.loss_scale_factor)
            grads = [g if g is None else np.multiply(g, scale, dtype=np.float32) for g in grads]
        if self.accumulation_steps is None:
            optimizer._step(grads, params)
        else:
            self._accumulate(optimizer, grads, params)
        for i, value in values.items():
            params[i][...] = value
        if self.use_ema:
            self._average(optimizer, params)
        if self._wrapped:
            _write_back(variables, params)
        if self._constrained:
            for variable in variables:
                if getattr(variable, "constraint", None) is not None:
                    _write_back([variable], [variable.constraint(variable)])

    def overwrite(self, optimizer: "Optimizer", variables: Sequence[Any]) -> None:
        """Put the averages into the parameters."""
        averages = optimizer._slots[AVERAGE]
        if len(variables) != len(averages):
            raise ValueError(
                f"{type(optimizer).__name__}: the moving average is of {len(averages)} parameters, "
                f"got {len(variables)}"
            )
        _write_back(variables, averages)

    def _accumulate(
        self, optimizer: "Optimizer", grads: Sequence[Any], params: Sequence[Array]
    ) -> None:
        steps = self.accumulation_steps
        assert steps is not None
        sums = optimizer._slots[SUM]
        for total, grad in zip(sums, grads, strict=True):
            if grad is not None:
                total += grad
        if (optimizer._iterations + 1) % steps:
            return
        means: list[Any] = []
        for total, grad in zip(sums, grads, strict=True):
            means.append(None if grad is None else total / np.float32(steps))
            total[...] = 0
        optimizer._step(means, params)

    def _taken_out(
        self, optimizer: "Optimizer", grads: Sequence[Any]
    ) -> tuple[list[Any], dict[int, Any]]:
        """Return gradients for the step, and the values of parameters that are overwritten.

        Of several steps' gradients the largest is taken, as Keras does.
        """
        left, values = list(grads), {}
        for i in self.overwritten:
            if grads[i] is None:
                continue
            value, steps = backend.float32(grads[i]), self.accumulation_steps
            left[i] = np.zeros_like(value)
            if steps is not None:
                value = np.maximum(value, optimizer._slots[SUM][i])
                if (optimizer._iterations + 1) % steps:
                    optimizer._slots[SUM][i][...] = value
                    continue
            values[i] = value
        return left, values

    def _average(self, optimizer: "Optimizer", params: Sequence[Array]) -> None:
        # The first step sets the average.
        momentum = np.float32(self.ema_momentum if optimizer.iterations else 0.0)
        for average, param in zip(optimizer._slots[AVERAGE], params, strict=True):
            average *= momentum
            average += (np.float32(1) - momentum) * param
        frequency = self.ema_overwrite_frequency
        if frequency and (optimizer.iterations + 1) % frequency == 0:
            self.overwrite(optimizer, params)


def _is_plain(variable: Any) -> bool:
    return backend.is_here(variable) and (
        variable.dtype == np.float32 or variable.dtype.kind not in "biuf"
    )


def _plain(variable: Any) -> Array:
    """Return the values as an array that kernels take, a copy where it is not one already."""
    if _is_plain(variable):
        return variable  # type: ignore[no-any-return]
    values = np.array(variable.numpy() if hasattr(variable, "numpy") else variable, np.float32)
    return backend.on_device(values)  # type: ignore[no-any-return]


def _write_back(variables: Sequence[Any], values: Sequence[Array]) -> None:
    for variable, value in zip(variables, values, strict=True):
        if variable is value:
            continue
        if hasattr(variable, "assign"):
            variable.assign(value)
        else:
            variable[...] = value
