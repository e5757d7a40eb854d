"""Muon."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import FLOAT_MAX, bool_arg, float_arg, int_arg, shown
from pyconv._types import Array
from pyconv.optimizers._state import Shape, fill
from pyconv.optimizers.adam import BETA_MAX
from pyconv.optimizers.optimizer import Optimizer, momentum_arg


class Muon(Optimizer):
    """Steps of matrices whose singular values are all about 1 (Jordan et al., 2024).

    A parameter of two axes steps by its momentum, made nearly orthogonal by Newton-Schulz
    iterations ``x = a*x + (b*x@x.T + c*(x@x.T)@(x@x.T))@x``, times
    ``rms_rate * sqrt(longer side)`` (Liu et al., 2025). All others, and those that
    ``exclude_layers`` names, as the last layer's should be, step as with AdamW.

    Args:
        learning_rate: step size.
        adam_beta_1, adam_beta_2, epsilon: of the parameters that step as with AdamW, see ``Adam``.
        adam_weight_decay: their weight decay, or None.
        weight_decay: that of the other parameters, or None.
        exclude_layers: patterns; a parameter whose path, such as 'dense/kernel', one of them is
            found in steps as with AdamW.
        exclude_embeddings: whether those with 'embedding' in their path do.
        muon_a, muon_b, muon_c: numbers of the iteration.
        adam_lr_ratio: rate of AdamW's steps by that of the others.
        momentum: how much of the momentum a step keeps, 0 to 1.
        ns_steps: number of iterations.
        nesterov: whether the gradient is added once more.
        rms_rate: scale of the steps; None for steps without a scale.
        clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see ``Optimizer``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> w = np.eye(2, dtype=np.float32)
        >>> pyconv.optimizers.Muon(0.5, weight_decay=0).apply([w * 3], [w])
        >>> f"{w[0, 0]:.1f}"
        '0.8'
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
            ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        owner = "Muon"
        self.adam_beta_1 = float_arg(owner, "adam_beta_1", adam_beta_1, 0.0, BETA_MAX)
        self.adam_beta_2 = float_arg(owner, "adam_beta_2", adam_beta_2, 0.0, BETA_MAX)
        self.epsilon = float_arg(owner, "epsilon", epsilon)
        self.adam_weight_decay = (
            None
            if adam_weight_decay is None
            else float_arg(owner, "adam_weight_decay", adam_weight_decay)
        )
        self.exclude_layers = _patterns(owner, exclude_layers)
        self.exclude_embeddings = bool_arg(owner, "exclude_embeddings", exclude_embeddings)
        self.muon_a = float_arg(owner, "muon_a", muon_a, -FLOAT_MAX)
        self.muon_b = float_arg(owner, "muon_b", muon_b, -FLOAT_MAX)
        self.muon_c = float_arg(owner, "muon_c", muon_c, -FLOAT_MAX)
        self.adam_lr_ratio = float_arg(owner, "adam_lr_ratio", adam_lr_ratio)
        self.momentum = momentum_arg(owner, momentum)
        self.ns_steps = int_arg(owner, "ns_steps", ns_steps, 0)
        self.nesterov = bool_arg(owner, "nesterov", nesterov)
        self.rms_rate = None if rms_rate is None else float_arg(owner, "rms_rate", rms_rate)

    def _slot_groups(self) -> list[tuple[str, ...]]:
        return [("momentum", "velocity")]

    def build(self, trainable_variables: Sequence[Any]) -> None:
        """Make the state for these parameters: a velocity only of those that step as with AdamW."""
        paths = self.variable_names or [getattr(v, "path", "") for v in trainable_variables]
        self._with_adamw = [
            self._is_excluded(len(variable.shape), path)
            for variable, path in zip(trainable_variables, paths, strict=True)
        ]
        super().build(trainable_variables)

    def _made_slots(
        self, shapes: list[Shape], state: Mapping[str, Array] | None
    ) -> dict[str, list[Array]]:
        slots = super()._made_slots(shapes, None)
        for i, with_adamw in enumerate(self._with_adamw):
            if not with_adamw:
                slots["velocity"][i] = backend.on_device(np.zeros(0, np.float32))
        if state is not None:
            fill("Muon", slots, state)
        return slots

    def _ordered(self) -> list[Array]:
        return [array for array in super()._ordered() if array.size]

    def _is_excluded(self, rank: int, path: str) -> bool:
        embedding = self.exclude_embeddings and "embedding" in path.lower()
        named = any(re.search(pattern, path) for pattern in self.exclude_layers)
        return rank != 2 or embedding or named

    def _should_use_adamw(self, variable: Any) -> bool:
        """Whether a parameter steps as with AdamW."""
        return self._is_excluded(len(variable.shape), getattr(variable, "path", ""))

    def _decay(self, params: Sequence[Array]) -> float:
        self._apply_weight_decay(params)
        return 0.0

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        """Take the weight decay, which is of two kinds, from parameters."""
        for i, variable in enumerate(variables):
            with_adamw = (
                bool(self._slots["velocity"][i].size)
                if self.built
                else self._should_use_adamw(variable)
            )
            decay = self.adam_weight_decay if with_adamw else self.weight_decay
            if decay and (self._exclusion is None or self._exclusion.decays(i)):
                variable -= variable * np.float32(decay * self.learning_rate)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        """Update one parameter."""
        i = self._get_variable_index(variable)
        m, v = self._slots["momentum"][i], self._slots["velocity"][i]
        if v.size:
            self._adamw_step(gradient, variable, float(learning_rate) * self.adam_lr_ratio, m, v)
            return
        m *= self.momentum
        m += gradient
        direction = gradient + m * self.momentum if self.nesterov else m
        step = self.zeropower_via_newtonschulz5(direction, self.ns_steps)
        variable -= self.lr_adjust(step * float(learning_rate))

    def _adamw_step(self, g: Array, w: Array, rate: float, m: Array, v: Array) -> None:
        t = self._next_update()
        m += (g - m) * (1 - self.adam_beta_1)
        v += (g * g - v) * (1 - self.adam_beta_2)
        alpha = rate * (1 - self.adam_beta_2**t) ** 0.5 / (1 - self.adam_beta_1**t)
        w -= m * alpha / (np.sqrt(v) + self.epsilon)

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """Return a matrix with the singular vectors of ``x``, and singular values of about 1.

        Example:
            >>> import numpy as np, pyconv
            >>> muon = pyconv.optimizers.Muon()
            >>> made = muon.zeropower_via_newtonschulz5(np.diag([3.0, 1.0]), 5)
            >>> bool((abs(np.diag(made) - 1) < 0.35).all())
            True
        """
        if len(x.shape) < 2:
            raise ValueError(
                "Muon: Expected gradient or momentum to have at least 2 dimensions. Received: "
                f"shape={tuple(x.shape)}"
            )
        tall = x.shape[-2] > x.shape[-1]
        wide = np.swapaxes(x, -2, -1) if tall else x
        norm = np.sqrt((wide * wide).sum(axis=(-2, -1), keepdims=True))
        wide = wide / (norm + 1e-7)
        for _ in range(steps):
            square = wide @ np.swapaxes(wide, -2, -1)
            wide = (
                self.muon_a * wide + (self.muon_b * square + self.muon_c * square @ square) @ wide
            )
        return np.swapaxes(wide, -2, -1) if tall else wide

    def lr_adjust(self, x: Any) -> Any:
        """Return a step times ``rms_rate`` and the root of its longer side."""
        return x if self.rms_rate is None else x * (max(x.shape[:2]) ** 0.5 * self.rms_rate)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        return {
            **super().get_config(),
            "adam_beta_1": self.adam_beta_1,
            "adam_beta_2": self.adam_beta_2,
            "adam_weight_decay": self.adam_weight_decay,
            "epsilon": self.epsilon,
            "exclude_layers": self.exclude_layers,
            "exclude_embeddings": self.exclude_embeddings,
            "muon_a": self.muon_a,
            "muon_b": self.muon_b,
            "muon_c": self.muon_c,
            "adam_lr_ratio": self.adam_lr_ratio,
            "momentum": self.momentum,
            "ns_steps": self.ns_steps,
            "nesterov": self.nesterov,
            "rms_rate": self.rms_rate,
        }


def _patterns(owner: str, patterns: Any) -> list[str]:
    if patterns is None:
        return []
    if not isinstance(patterns, (list, tuple)) or not all(isinstance(p, str) for p in patterns):
        raise TypeError(
            f"{owner}: exclude_layers must be a list of patterns, such as ['output'], got "
            f"{shown(patterns)}"
        )
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(
                f"{owner}: exclude_layers has {pattern!r}, which is no pattern: {error}"
            ) from None
    return list(patterns)
