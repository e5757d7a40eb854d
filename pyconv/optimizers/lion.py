"""Lion."""

from typing import Any

import numpy as np

from pyconv._args import FLOAT_MAX, float_arg
from pyconv._types import Array
from pyconv.optimizers._elementwise import Elementwise


class Lion(Elementwise):
    """Steps by the sign of a momentum alone (Chen et al., 2023).

    ``w -= lr * sign(beta_1 * m + (1 - beta_1) * g); m = beta_2 * m + (1 - beta_2) * g``. A good
    rate is 3 to 10 times smaller than Adam's, and a weight decay as much larger.

    Args:
        learning_rate: step size.
        beta_1: share of the momentum in the step, above 0, to 1.
        beta_2: how much of the momentum a step keeps, 0 to 1.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name:
            see ``Optimizer``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
        >>> pyconv.optimizers.Lion(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> [f"{value:.4f}" for value in w]
        ['0.5000', '1.5000', '2.5000', '3.5000']
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        self.beta_1 = float_arg("Lion", "beta_1", beta_1, -FLOAT_MAX)
        if self.beta_1 <= 0 or self.beta_1 > 1:
            raise ValueError(
                "Lion: Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer "
                f"degenerates to SignSGD. Received: beta_1={beta_1}."
            )
        self.beta_2 = float_arg("Lion", "beta_2", beta_2, 0.0, 1.0)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return [("momentum",)]

    def _rule(self, w: Array, g: Array, state: list[Array], numbers: tuple[float]) -> None:
        (m,) = state
        w -= numbers[0] * np.sign(m * self.beta_1 + g * (1 - self.beta_1))
        m *= self.beta_2
        m += g * (1 - self.beta_2)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
        }
