"""RMSprop."""

from collections.abc import Sequence
from typing import Any

from pyconv import backend
from pyconv._args import bool_arg, float_arg
from pyconv._types import Array
from pyconv.optimizers.optimizer import Optimizer, momentum_arg


class RMSprop(Optimizer):
    """Divides the gradient by a running root mean square of it (Tieleman and Hinton, 2012).

    ``v = rho * v + (1 - rho) * g**2; w -= lr * g / sqrt(v + epsilon)``. Centered, the mean of
    the gradient, squared, is taken from ``v``. With momentum, ``m = momentum * m + step;
    w -= m``. PyTorch adds its epsilon (1e-8) outside the root and has rho 0.99.

    Args:
        learning_rate: step size.
        rho: how much of the running mean a step keeps, 0 to 1.
        momentum: 0 to 1.
        epsilon: keeps the root away from 0.
        centered: whether to divide by the deviation rather than the root mean square.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name:
            see ``Optimizer``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
        >>> pyconv.optimizers.RMSprop(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> [f"{value:.4f}" for value in w]
        ['-0.5811', '0.4189', '1.4189', '2.4189']
    """

    _native = True  # one call updates all parameters

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.rho = float_arg("RMSprop", "rho", rho, 0.0, 1.0)
        self.momentum = momentum_arg("RMSprop", momentum)
        self.epsilon = float_arg("RMSprop", "epsilon", epsilon)
        self.centered = bool_arg(type(self).__name__, "centered", centered)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        names = ["velocity"]
        if self.momentum:
            names.append("momentum")
        if self.centered:
            names.append("mean_grad")
        return [(name,) for name in names]

    def _update(self, params: Sequence[Array], grads: Sequence[Array], weight_decay: float) -> None:
        backend.active.rmsprop_update(
            params,
            grads,
            self._slots["velocity"],
            self._slots.get("mean_grad"),
            self._slots.get("momentum"),
            self._rate,
            self.rho,
            self.momentum,
            self.epsilon,
            weight_decay,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
