"""Stochastic gradient descent."""

from collections.abc import Sequence
from typing import Any

from pyconv import backend
from pyconv._args import bool_arg
from pyconv._types import Array
from pyconv.optimizers.optimizer import Optimizer, momentum_arg


class SGD(Optimizer):
    """Gradient descent, with momentum where asked for.

    ``w -= lr * g``; with momentum ``v = momentum * v - lr * g; w += v``; with Nesterov's
    momentum (Sutskever et al., 2013) ``w += momentum * v - lr * g``. PyTorch keeps the rate
    outside the velocity, so the two differ where the rate changes.

    Args:
        learning_rate: step size.
        momentum: 0 to 1.
        nesterov: whether to use Nesterov's momentum.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name:
            see ``Optimizer``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
        >>> pyconv.optimizers.SGD(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> w.tolist()
        [0.5, -1.0, -0.5, 3.0]
    """

    _native = True  # one call updates all parameters

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum = momentum_arg("SGD", momentum)
        self.nesterov = bool_arg(type(self).__name__, "nesterov", nesterov)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return [("velocity",)] if self.momentum else []

    def _update(self, params: Sequence[Array], grads: Sequence[Array], weight_decay: float) -> None:
        backend.active.sgd_update(
            params,
            grads,
            self._slots.get("velocity"),
            self._rate,
            self.momentum,
            self.nesterov,
            weight_decay,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
