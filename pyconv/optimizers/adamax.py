"""Adamax."""

from typing import Any

import numpy as np

from pyconv._args import float_arg
from pyconv._types import Array
from pyconv.optimizers._elementwise import Elementwise
from pyconv.optimizers.adam import BETA_MAX


class Adamax(Elementwise):
    """Adam with the largest gradient in place of the root mean square (Kingma and Ba, 2015).

    ``m += (g - m) * (1 - beta_1); u = max(beta_2 * u, |g|);
    w -= lr * m / ((1 - beta_1**t) * (u + epsilon))``.

    Args:
        learning_rate: step size.
        beta_1: how much of the mean of the gradient a step keeps, 0 to below 1.
        beta_2: how much of the largest gradient a step keeps, 0 to 1.
        epsilon: keeps the divisor away from 0.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name:
            see ``Optimizer``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
        >>> pyconv.optimizers.Adamax(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> [f"{value:.4f}" for value in w]
        ['0.5000', '1.5000', '2.5000', '3.5000']
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        self.beta_1 = float_arg("Adamax", "beta_1", beta_1, 0.0, BETA_MAX)
        self.beta_2 = float_arg("Adamax", "beta_2", beta_2, 0.0, 1.0)
        self.epsilon = float_arg("Adamax", "epsilon", epsilon)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return [("momentum", "norm")]

    def _numbers(self, rate: float) -> tuple[float, ...]:
        return (rate / (1 - self.beta_1 ** self._next_update()),)

    def _rule(self, w: Array, g: Array, state: list[Array], numbers: tuple[float]) -> None:
        m, u = state
        m += (g - m) * (1 - self.beta_1)
        np.maximum(self.beta_2 * u, np.abs(g), out=u)
        w -= numbers[0] * m / (u + self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
