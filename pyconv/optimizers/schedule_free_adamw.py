"""AdamW that needs no schedule of the learning rate."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyconv._args import float_arg, int_arg
from pyconv._types import Array
from pyconv.optimizers._elementwise import Elementwise
from pyconv.optimizers.adam import BETA_MAX


class ScheduleFreeAdamW(Elementwise):
    """AdamW of a sequence ``z`` beside its mean ``x`` (Defazio et al., 2024).

    The parameters are ``y = (1 - beta_1) * z + beta_1 * x``, where gradients are taken. At step t:
    ``v = beta_2 * v + (1 - beta_2) * g**2``,
    ``z -= lr * g / (sqrt(v / (1 - beta_2**t)) + epsilon)``, ``x += (z - x) / t``.

    Args:
        learning_rate: step size.
        beta_1: share of the mean in the parameters, above 0, below 1.
        beta_2: how much of ``v`` a step keeps, 0 or more and below 1.
        epsilon: added to the root.
        warmup_steps: steps over which the rate rises from 0; 0 for none.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name:
            see ``Optimizer``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0], np.float32)
        >>> pyconv.optimizers.ScheduleFreeAdamW(0.5).apply([np.array([1, 6], np.float32)], [w])
        >>> [f"{value:.4f}" for value in w]
        ['0.5000', '1.5000']
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
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
        owner = "ScheduleFreeAdamW"
        self.beta_1 = float_arg(owner, "beta_1", beta_1, 1e-6, BETA_MAX)
        self.beta_2 = float_arg(owner, "beta_2", beta_2, 0.0, BETA_MAX)
        self.epsilon = float_arg(owner, "epsilon", epsilon)
        self.warmup_steps = int_arg(owner, "warmup_steps", warmup_steps, 0)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return [("momentum", "velocity")]

    def build(self, trainable_variables: Sequence[Any]) -> None:
        """Make the state for these parameters; ``z`` begins where they do."""
        begins = not self.built and self._pending is None
        super().build(trainable_variables)
        if begins:
            for z, variable in zip(self._slots["momentum"], trainable_variables, strict=True):
                z[...] = variable

    def _numbers(self, rate: float) -> tuple[float, ...]:
        t = self._next_update()
        if self.warmup_steps:
            rate *= min(t / self.warmup_steps, 1.0)
        return rate, 1 - self.beta_2**t, 1 / t

    def _rule(self, w: Array, g: Array, state: list[Array], numbers: Any) -> None:
        z, v = state
        rate, correction, share = numbers
        x = (w - (1 - self.beta_1) * z) / self.beta_1
        v += (g * g - v) * (1 - self.beta_2)
        z -= rate * g / (np.sqrt(v / correction) + self.epsilon)
        x += (z - x) * share
        w[...] = (1 - self.beta_1) * z + self.beta_1 * x

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "warmup_steps": self.warmup_steps,
        }
