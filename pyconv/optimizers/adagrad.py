"""Adagrad."""

from typing import Any

import numpy as np

from pyconv._args import float_arg
from pyconv._types import Array
from pyconv.optimizers._elementwise import Elementwise


class Adagrad(Elementwise):
    """Divides by the root of the sum of all squared gradients (Duchi et al., 2011).

    ``a += g**2; w -= lr * g / sqrt(a + epsilon)``.

    Args:
        learning_rate: step size.
        initial_accumulator_value: where the sum ``a`` begins, 0 or more.
        epsilon: keeps the root away from 0.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name:
            see ``Optimizer``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
        >>> pyconv.optimizers.Adagrad(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> [f"{value:.4f}" for value in w]
        ['0.5233', '1.5007', '2.5005', '3.5061']
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
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
        self.initial_accumulator_value = float_arg(
            "Adagrad", "initial_accumulator_value", initial_accumulator_value
        )
        self.epsilon = float_arg("Adagrad", "epsilon", epsilon)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return [("accumulator",)]

    def _new_slot(self, name: str, shape: tuple[int, ...]) -> Array:
        if name == "accumulator":
            return np.full(shape, self.initial_accumulator_value, np.float32)
        return super()._new_slot(name, shape)

    def _rule(self, w: Array, g: Array, state: list[Array], numbers: tuple[float]) -> None:
        (total,) = state
        total += g * g
        w -= numbers[0] * g / np.sqrt(total + self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }
