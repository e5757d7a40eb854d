"""Adadelta."""

from typing import Any

import numpy as np

from pyconv._args import float_arg
from pyconv._types import Array
from pyconv.optimizers._elementwise import Elementwise


class Adadelta(Elementwise):
    """Steps as large as those before, over the root mean square of gradients (Zeiler, 2012).

    ``a = rho * a + (1 - rho) * g**2; d = g * sqrt(b + epsilon) / sqrt(a + epsilon);
    b = rho * b + (1 - rho) * d**2; w -= lr * d``.

    Args:
        learning_rate: step size.
        rho: how much of the running means a step keeps, 0 to 1.
        epsilon: keeps the roots away from 0.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name:
            see ``Optimizer``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
        >>> pyconv.optimizers.Adadelta(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> [f"{value:.4f}" for value in w]
        ['0.9993', '1.9993', '2.9993', '3.9993']
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho = float_arg("Adadelta", "rho", rho, 0.0, 1.0)
        self.epsilon = float_arg("Adadelta", "epsilon", epsilon)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return [("accumulated_grad", "accumulated_delta_var")]

    def _rule(self, w: Array, g: Array, state: list[Array], numbers: tuple[float]) -> None:
        squares, steps = state
        squares *= self.rho
        squares += (1 - self.rho) * (g * g)
        step = np.sqrt(steps + self.epsilon) * g / np.sqrt(squares + self.epsilon)
        steps *= self.rho
        steps += (1 - self.rho) * (step * step)
        w -= numbers[0] * step

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "epsilon": self.epsilon,
        }
