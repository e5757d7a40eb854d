"""Regularizers and constraints of a model's layers. Layers without them take no notice."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._types import Array
from pyconv.layers.layer import Layer


def penalized(steps: list[Any]) -> list[Any]:
    """Return the steps, each that has a layer with a regularizer as a ``Penalized`` one."""
    return [
        Penalized(step) if any(layer.has_penalties for layer in layers_of(step)) else step
        for step in steps
    ]


def layers_of(step: Any) -> list[Layer]:
    """Return the layers of a step of a model."""
    return [step] if isinstance(step, Layer) else list(step.layers)


class Penalized:
    """A step of a model that adds its layers' penalties and their gradients."""

    def __init__(self, step: Any) -> None:
        self._step = step
        self.layers = layers_of(step)
        # A step of several layers has none between them.
        self._activity = self.layers[-1].activity_regularizer
        self._y: Array | None = None
        self.scale = 1.0  # of the gradients, as the loss's are scaled

    @property
    def name(self) -> str:
        """The name of the step."""
        return str(self._step.name)

    @property
    def trainable(self) -> bool:
        """Whether training changes the step's weights."""
        return bool(self._step.trainable)

    @property
    def learns(self) -> bool:
        """Whether ``backward`` is asked for gradients."""
        return bool(self._step.learns)

    @property
    def params(self) -> list[Array]:
        """The step's weights."""
        return self._step.params  # type: ignore[no-any-return]

    def forward(self, x: Array, training: bool, **options: Any) -> Array:
        """Do what the step does."""
        y: Array = self._step.forward(x, training, **options)
        self._y = y
        return y

    def backward(self, dy: Array, need_dx: bool, **options: Any) -> Array | None:
        """Do what the step does, with the gradients of the penalties."""
        if self._activity is not None:
            assert self._y is not None
            y = np.asarray(self._y)
            slope = self._activity.gradient(y) * np.float32(self.scale / len(y))
            dy += backend.on_device(np.asarray(slope, np.float32)).reshape(dy.shape)
        for layer in self.layers:
            layer.penalty_scale = self.scale
        dx: Array | None = self._step.backward(dy, need_dx, **options)
        for layer in self.layers:
            if layer.trainable:
                layer.add_penalty_gradients(self.scale)
        return dx

    def penalty(self) -> float:
        """Return the penalties of the weights that train and of the last result."""
        total = sum(sum(layer.penalties_in_training()) for layer in self.layers)
        if self._activity is not None and self._y is not None:
            total += self.layers[-1].activity_penalty(self._y)
        return float(total)
