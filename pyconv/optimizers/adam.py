"""Adam and AdamW."""

from collections.abc import Sequence
from typing import Any

from pyconv import backend
from pyconv._args import bool_arg, float_arg
from pyconv._types import Array
from pyconv.optimizers.optimizer import Optimizer

# A rate of 1 would make the correction of the bias divide by 0.
BETA_MAX = 0.9999999


class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba, 2015; with ``amsgrad``, Reddi et al., 2018).

    ``m`` and ``v`` are running means of ``g`` and ``g**2``. At step t
    ``w -= lr * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)``: the paper's
    "epsilon hat". PyTorch corrects ``v`` before it adds its epsilon (1e-8).

    Args:
        learning_rate: step size.
        beta_1: how much of the mean of the gradient a step keeps, 0 to below 1.
        beta_2: how much of the mean of its square a step keeps, 0 to below 1.
        epsilon: keeps the divisor away from 0.
        amsgrad: whether to divide by the largest ``v`` so far.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name:
            see ``Optimizer``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
        >>> pyconv.optimizers.Adam(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> w.round(3).tolist()
        [0.5, 1.5, 2.5, 3.5]
    """

    _native = True  # one call updates all parameters

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        owner = type(self).__name__
        self.beta_1 = float_arg(owner, "beta_1", beta_1, 0.0, BETA_MAX)
        self.beta_2 = float_arg(owner, "beta_2", beta_2, 0.0, BETA_MAX)
        self.epsilon = float_arg(owner, "epsilon", epsilon)
        self.amsgrad = bool_arg(type(self).__name__, "amsgrad", amsgrad)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        groups: list[tuple[str, ...]] = [("momentum", "velocity")]
        return [*groups, ("velocity_max",)] if self.amsgrad else groups

    def _update(self, params: Sequence[Array], grads: Sequence[Array], weight_decay: float) -> None:
        backend.active.adam_update(
            params,
            grads,
            self._slots["momentum"],
            self._slots["velocity"],
            self._slots.get("velocity_max"),
            self._rate,
            self._next_update(),
            self.beta_1,
            self.beta_2,
            self.epsilon,
            weight_decay,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019).

    ``w -= w * weight_decay * lr`` on every parameter, then Adam's update.

    Args:
        learning_rate, beta_1, beta_2, epsilon, amsgrad: see ``Adam``.
        weight_decay: share of a parameter, times the learning rate, that a step takes away.
        clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see ``Optimizer``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
        >>> pyconv.optimizers.AdamW(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> [f"{value:.3f}" for value in w]
        ['0.498', '1.496', '2.494', '3.492']
    """

    _native = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue,
            global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        if self.weight_decay is None:
            raise ValueError(
                "AdamW: Argument `weight_decay` must be a float. Received: weight_decay=None; use "
                "Adam without it"
            )
