"""Lamb."""

from typing import Any

import numpy as np

from pyconv._args import float_arg
from pyconv._types import Array
from pyconv.optimizers.adam import BETA_MAX
from pyconv.optimizers.optimizer import Optimizer


class Lamb(Optimizer):
    """Adam with a step, for each parameter, in proportion to its norm (You et al., 2020).

    With ``m`` and ``v`` as Adam's: ``d = m / (1 - beta_1**t) / (sqrt(v / (1 - beta_2**t)) +
    epsilon); w -= lr * d * |w| / |d|``; the ratio is 1 where a norm is 0.

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
        >>> pyconv.optimizers.Lamb(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> [f"{value:.4f}" for value in w]
        ['-0.3693', '0.6307', '1.6307', '2.6307']
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
        self.beta_1 = float_arg("Lamb", "beta_1", beta_1, 0.0, BETA_MAX)
        self.beta_2 = float_arg("Lamb", "beta_2", beta_2, 0.0, BETA_MAX)
        self.epsilon = float_arg("Lamb", "epsilon", epsilon)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return [("momentum", "velocity")]

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        """Update one parameter."""
        i, t = self._get_variable_index(variable), self._next_update()
        m, v = self._slots["momentum"][i], self._slots["velocity"][i]
        m += (gradient - m) * (1 - self.beta_1)
        v += (gradient * gradient - v) * (1 - self.beta_2)
        root = np.sqrt(v / (1 - self.beta_2**t)) + self.epsilon
        step = m / (1 - self.beta_1**t) / root
        norm, of_step = (float(np.sqrt(np.sum(a * a, dtype=np.float64))) for a in (variable, step))
        ratio = norm / of_step if norm > 0 and of_step > 0 else 1.0
        variable -= step * (ratio * float(learning_rate))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
