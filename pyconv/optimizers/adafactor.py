"""Adafactor."""

from typing import Any

import numpy as np

from pyconv._args import bool_arg, float_arg
from pyconv._types import Array
from pyconv.optimizers.optimizer import Optimizer


class Adafactor(Optimizer):
    """Adam's root mean square from means of rows and of columns (Shazeer and Stern, 2018).

    Takes much less memory than Adam for large matrices. With ``rho = min(lr, 1 / sqrt(t))`` and
    ``d = g / sqrt(v)``: ``w -= rho * max(epsilon_2, rms(w)) * d / max(1, rms(d) /
    clip_threshold)``; ``v`` is the running mean of ``g**2 + epsilon_1``, kept as its means over
    the last axis and over the one before, and ``1 - t**beta_2_decay`` of it is kept at step t.

    Args:
        learning_rate: largest relative step size.
        beta_2_decay: how soon the running mean forgets, below 0.
        epsilon_1: keeps the root away from 0.
        epsilon_2: smallest root mean square of a parameter that steps are relative to.
        clip_threshold: largest root mean square of a step, before the rate.
        relative_step: whether the rate falls as ``1 / sqrt(t)``.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name:
            see ``Optimizer``.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
        >>> pyconv.optimizers.Adafactor(0.5).apply([np.array([1, 6, 7, 2], np.float32)], [w])
        >>> [f"{value:.4f}" for value in w]
        ['-0.3693', '0.6307', '1.6307', '2.6307']
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = float_arg("Adafactor", "beta_2_decay", beta_2_decay, -1e3, 0.0)
        self.epsilon_1 = float_arg("Adafactor", "epsilon_1", epsilon_1)
        self.epsilon_2 = float_arg("Adafactor", "epsilon_2", epsilon_2)
        self.clip_threshold = float_arg("Adafactor", "clip_threshold", clip_threshold, 1e-30)
        self.relative_step = bool_arg(type(self).__name__, "relative_step", relative_step)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return [("row", "column", "velocity")]

    def _new_slot(self, name: str, shape: tuple[int, ...]) -> Array:
        if name in ("row", "column"):
            factored = shape[:-1] if name == "row" else (*shape[:-2], *shape[-1:])
            return np.zeros(factored if len(shape) > 1 else (), np.float32)
        return super()._new_slot(name, shape)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        """Update one parameter."""
        i, t = self._get_variable_index(variable), self._next_update()
        row, column, v = (self._slots[name][i] for name in ("row", "column", "velocity"))
        # A relative step and the formula's own limit of the rate are the same.
        rate = min(float(learning_rate), t**-0.5)
        kept = 1 - t**self.beta_2_decay
        squares = gradient * gradient + np.float32(self.epsilon_1)
        if variable.ndim > 1:
            row[...] = kept * row + (1 - kept) * squares.mean(axis=-1)
            column[...] = kept * column + (1 - kept) * squares.mean(axis=-2)
            share = row / row.mean(axis=-1, keepdims=True)
            v[...] = share[..., None] * column[..., None, :]
        else:
            v[...] = kept * v + (1 - kept) * squares
        step = gradient / np.sqrt(v)
        size = rate * max(self.epsilon_2, _rms(variable))
        variable -= step * (size / max(1.0, _rms(step) / self.clip_threshold))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            **super().get_config(),
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }


def _rms(x: Any) -> float:
    return float(np.sqrt(np.mean(x * x, dtype=np.float64)))
