"""Loss scaling that adapts itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyconv._args import float_arg, int_arg
from pyconv.optimizers._delegating import Delegating
from pyconv.optimizers.optimizer import Optimizer

# What optimizers have, and this one leaves to the one within; earlier versions of Keras wrote them.
_OF_THE_INNER = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class LossScaleOptimizer(Delegating):
    """Multiplies the loss by a factor, so that small gradients are not lost, and finds it.

    A step with gradients that are not finite is left out and halves the factor;
    ``dynamic_growth_steps`` steps without such double it. pyconv computes in float32, where it is
    seldom needed: it is here for programs that use it.

    Args:
        inner_optimizer: the optimizer of the steps. Its ``loss_scale_factor`` is set to None.
        initial_scale: the factor at first, above 0.
        dynamic_growth_steps: steps until it is doubled.
        name: the optimizer's name.
        **kwargs: ``dynamic``, which must be True; all other arguments are those of
            ``inner_optimizer``.

    Raises:
        TypeError: ``inner_optimizer`` is not an ``Optimizer``.
        ValueError: an argument is out of range or unknown.

    Example:
        >>> import numpy as np, pyconv
        >>> optimizer = pyconv.optimizers.LossScaleOptimizer(pyconv.optimizers.SGD(0.5), 4.0)
        >>> w = np.array([1.0, 2.0], np.float32)
        >>> optimizer.apply([np.array([4.0, 8.0], np.float32)], [w])
        >>> w.tolist()
        [0.5, 1.0]
        >>> optimizer.apply([np.array([np.inf, 0.0], np.float32)], [w])
        >>> w.tolist(), optimizer.scale_loss(1.0)
        ([0.5, 1.0], 2.0)
    """

    _numbers = ("step_counter", "dynamic_scale")
    _lists_unused_rate = True

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        owner = "LossScaleOptimizer"
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(
                f"{owner}: inner_optimizer must be an Optimizer, got {inner_optimizer!r:.60}"
            )
        _refuse(owner, kwargs)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = float_arg(owner, "initial_scale", initial_scale, 1e-38)
        self.dynamic_growth_steps = int_arg(owner, "dynamic_growth_steps", dynamic_growth_steps)
        self.step_counter = 0
        self.dynamic_scale = self.initial_scale
        super().__init__(0.0, name=name)
        inner_optimizer.loss_scale_factor = None

    def _parts(self) -> list[Optimizer]:
        return [self.inner_optimizer]

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if "_extras" in vars(self):  # not while the base is made
            self.inner_optimizer.learning_rate = value

    @property
    def loss_scale_factor(self) -> float | None:
        """The factor of the next step."""
        return self.dynamic_scale

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        raise AttributeError("LossScaleOptimizer finds the loss_scale_factor by itself")

    @property
    def iterations(self) -> Any:
        """How many updates the inner optimizer made."""
        return self.inner_optimizer.iterations

    @property
    def use_ema(self) -> bool:
        """Whether the inner optimizer keeps a moving average of the parameters."""
        return self.inner_optimizer.use_ema

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss times the factor."""
        return loss * self.dynamic_scale

    def build(self, trainable_variables: Sequence[Any]) -> None:
        """Make the state for these parameters."""
        self.inner_optimizer.variable_names = self.variable_names
        self.inner_optimizer.build(trainable_variables)
        self.built = True

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Make one step from gradients of the scaled loss, or none where they are not finite."""
        if trainable_variables is not None and not self.built:
            self.build(trainable_variables)
        given = [None if grad is None else np.asarray(grad) for grad in grads]
        self._iterations += 1
        if not all(grad is None or np.isfinite(grad).all() for grad in given):
            self.step_counter = 0
            self.dynamic_scale *= 0.5
            return
        scale = np.float32(1 / self.dynamic_scale)
        scaled = [None if g is None else np.multiply(g, scale, dtype=np.float32) for g in given]
        for i in self.inner_optimizer.overwritten:
            scaled[i] = given[i]
        self.inner_optimizer.apply(scaled, trainable_variables)
        self.step_counter += 1
        if self.step_counter >= self.dynamic_growth_steps:
            self.step_counter = 0
            self.dynamic_scale = min(self.dynamic_scale * 2, 3.0e38)

    def averages(self, params: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return those of the inner optimizer."""
        return self.inner_optimizer.averages(params)

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Put the inner optimizer's moving average into the parameters, where it keeps one."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        from pyconv.serialization import serialize_keras_object

        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "LossScaleOptimizer":
        """Make an optimizer from what ``get_config`` gave."""
        from pyconv.serialization import deserialize_keras_object

        inner = deserialize_keras_object(config["inner_optimizer"], custom_objects)
        return cls(**{**config, "inner_optimizer": inner})


def _refuse(owner: str, kwargs: dict[str, Any]) -> None:
    if not kwargs.pop("dynamic", True):
        raise ValueError(
            f"{owner}: dynamic=False is not supported; set `loss_scale_factor` on the "
            "`inner_optimizer`"
        )
    for name, default in _OF_THE_INNER.items():
        if name in kwargs and kwargs.pop(name) != default:
            raise ValueError(
                f"{owner} does not support `{name}`; set `{name}` on the `inner_optimizer`"
            )
    if kwargs:
        raise ValueError(f"{owner} does not support arguments: `{'`, `'.join(kwargs)}`")
