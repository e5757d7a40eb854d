"""Ftrl."""

from typing import Any

import numpy as np

from pyconv._args import FLOAT_MAX, float_arg
from pyconv._types import Array
from pyconv.optimizers._elementwise import Elementwise


class Ftrl(Elementwise):
    """Follows the regularized leader (McMahan et al., 2013): sparse weights by L1.

    With ``p = -learning_rate_power`` and ``s = l2_shrinkage_regularization_strength``:
    ``b = a + g**2; z += g + 2 * s * w - (b**p - a**p) / lr * w;
    w = (clip(z, -l1, l1) - z) / (b**p / lr + 2 * (l2 + beta / (2 * lr))); a = b``.

    Args:
        learning_rate: step size.
        learning_rate_power: how the rate falls with the sum ``a``, 0 or below.
        initial_accumulator_value: where the sum ``a`` begins, 0 or more.
        l1_regularization_strength: ``l1``, 0 or more.
        l2_regularization_strength: ``l2``, 0 or more.
        l2_shrinkage_regularization_strength: ``s``, 0 or more.
        beta: added to ``l2`` over twice the rate.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name:
            see ``Optimizer``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
        >>> pyconv.optimizers.Ftrl(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> [f"{value:.4f}" for value in w]
        ['0.2218', '1.3954', '2.3651', '2.8814']
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
            ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.learning_rate_power = float_arg(
            "Ftrl", "learning_rate_power", learning_rate_power, -FLOAT_MAX
        )
        if not self.learning_rate_power <= 0:
            raise ValueError(
                "`learning_rate_power` needs to be negative or zero. Received: "
                f"learning_rate_power={learning_rate_power}."
            )
        self.initial_accumulator_value = _not_negative(
            "initial_accumulator_value", initial_accumulator_value
        )
        self.l1_regularization_strength = _not_negative(
            "l1_regularization_strength", l1_regularization_strength
        )
        self.l2_regularization_strength = _not_negative(
            "l2_regularization_strength", l2_regularization_strength
        )
        self.l2_shrinkage_regularization_strength = _not_negative(
            "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength
        )
        self.beta = float_arg("Ftrl", "beta", beta)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return [("accumulator", "linear")]

    def _new_slot(self, name: str, shape: tuple[int, ...]) -> Array:
        if name == "accumulator":
            return np.full(shape, self.initial_accumulator_value, np.float32)
        return super()._new_slot(name, shape)

    def _rule(self, w: Array, g: Array, state: list[Array], numbers: tuple[float]) -> None:
        (rate,) = numbers
        if not rate > 0:
            raise ValueError(
                f"Ftrl: learning_rate must be above 0, as its rule divides by it, got {rate:g}"
            )
        total, linear = state
        power = -self.learning_rate_power
        new = total + g * g
        linear += g + 2 * self.l2_shrinkage_regularization_strength * w
        linear -= (new**power - total**power) / rate * w
        divisor = new**power / rate + 2 * (self.l2_regularization_strength + self.beta / (2 * rate))
        limit = self.l1_regularization_strength
        w[...] = (np.clip(linear, -limit, limit) - linear) / divisor
        total[...] = new

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        shrinkage = self.l2_shrinkage_regularization_strength
        return {
            **super().get_config(),
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": shrinkage,
            "beta": self.beta,
        }


def _not_negative(name: str, value: float) -> float:
    number = float_arg("Ftrl", name, value, -FLOAT_MAX)
    if number < 0:
        raise ValueError(f"`{name}` needs to be positive or zero. Received: {name}={value}.")
    return number
