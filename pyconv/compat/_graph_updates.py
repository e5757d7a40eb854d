"""Steps of optimizers as Keras 1 and 2 have them: tensors that ``keras.backend.function`` runs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyconv.compat._gradient_tape import GradientTape
from pyconv.compat._tensor import Tensor, tensor_of


class Step:
    """A step that makes a loss smaller, a tensor.

    Args:
        optimizer: makes the step.
        loss: the tensor.
        params: what is trained, such as a model's ``trainable_weights``.
    """

    def __init__(self, optimizer: Any, loss: Tensor, params: Sequence[Any]) -> None:
        self.optimizer, self.loss, self.params = optimizer, loss, list(params)

    def gradients(self, tape: GradientTape, loss: Any) -> list[Any]:
        """Return the gradients of the loss's value, which the tape has recorded."""
        found = tape.gradient(loss, self.params, unconnected_gradients="zero")
        return [np.asarray(gradient, np.float32) for gradient in found]


class GivesUpdates:
    """An optimizer with ``get_updates``."""

    def get_updates(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Return what ``keras.backend.function`` makes a step by.

        Args:
            *args: the loss, a tensor of one number, and the weights, a list, in either order.
            **kwargs: ``loss`` and ``params`` by name; Keras 1's ``constraints`` must be empty.

        Raises:
            TypeError: there is no loss or no weights.
        """
        given = [*args, kwargs.get("loss"), kwargs.get("params")]
        losses = [part for part in given if isinstance(part, Tensor)]
        weights = [part for part in given if isinstance(part, (list, tuple)) and len(part)]
        if len(losses) != 1 or len(weights) != 1 or kwargs.get("constraints"):
            raise TypeError(
                f"{type(self).__name__}: get_updates wants a loss, a tensor, and a list of "
                "weights; arrays are trained by apply_gradients"
            )
        return [Step(self, tensor_of(losses[0]), weights[0])]


def steps_of(updates: Any) -> list[Step]:
    """Return the steps among updates.

    Raises:
        NotImplementedError: one is something else.
    """
    found = list(updates or ())
    for one in found:
        if not isinstance(one, Step):
            raise NotImplementedError(
                "function: updates must be what an optimizer's get_updates returned, got a "
                f"{type(one).__name__}; assign to variables after the call"
            )
    return found
