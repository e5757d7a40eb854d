"""Nadam."""

import math
from typing import Any

import numpy as np

from pyconv._args import float_arg
from pyconv._types import Array
from pyconv.optimizers._elementwise import Elementwise
from pyconv.optimizers.adam import BETA_MAX


class Nadam(Elementwise):
    """Adam with Nesterov's momentum (Dozat, 2016).

    With ``u_t = beta_1 * (1 - 0.5 * 0.96**t)`` and ``U_t`` the product of ``u_1`` to ``u_t``,
    ``m`` and ``v`` as Adam's: ``m_hat = u_(t+1) * m / (1 - U_(t+1)) + (1 - u_t) * g / (1 - U_t);
    w -= lr * m_hat / (sqrt(v / (1 - beta_2**t)) + epsilon)``.

    Args:
        learning_rate: step size.
        beta_1: how much of the mean of the gradient a step keeps, 0 to below 1.
        beta_2: how much of the mean of its square a step keeps, 0 to below 1.
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
        >>> pyconv.optimizers.Nadam(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> [f"{value:.4f}" for value in w]
        ['0.4686', '1.4686', '2.4686', '3.4686']
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
        self.beta_1 = float_arg("Nadam", "beta_1", beta_1, 0.0, BETA_MAX)
        self.beta_2 = float_arg("Nadam", "beta_2", beta_2, 0.0, BETA_MAX)
        self.epsilon = float_arg("Nadam", "epsilon", epsilon)
        self._u_product = np.ones((), np.float32)
        self._product = 0, 1.0

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return [("momentum", "velocity")]

    def _ordered(self) -> list[Array]:
        return [*super()._ordered(), self._u_product]

    def _numbers(self, rate: float) -> tuple[float, ...]:
        t = self._next_update()
        u, u_next = self._u(t), self._u(t + 1)
        # The product follows from the number of steps, so that a saved state need not hold it.
        steps, product = self._product
        product = product * u if steps == t - 1 else math.prod(map(self._u, range(1, t + 1)))
        self._product = t, product
        self._u_product[...] = product
        return (
            rate,
            u_next / (1 - product * u_next),
            (1 - u) / (1 - product),
            1 - self.beta_2**t,
        )

    def _u(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * 0.96**t)

    def _rule(self, w: Array, g: Array, state: list[Array], numbers: tuple[float, ...]) -> None:
        rate, of_m, of_g, correction = numbers
        m, v = state
        m += (g - m) * (1 - self.beta_1)
        v += (g * g - v) * (1 - self.beta_2)
        w -= rate * (of_m * m + of_g * g) / (np.sqrt(v / correction) + self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
