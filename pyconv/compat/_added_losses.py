"""Losses that are tensors of a functional model: ``add_loss``, and losses that refer to tensors.

Such a model is trained layer by layer, with the derivatives of the functions in its losses.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyconv._types import Array, Shape
from pyconv.compat._autodiff import unwrapped
from pyconv.compat._eager import eager
from pyconv.compat._functional import network
from pyconv.compat._gradient_tape import NO_SECOND
from pyconv.compat._model import Sequential as Model
from pyconv.compat._recording import is_open, layer_call, merge_call
from pyconv.compat._tensor import Tensor, tensors_of
from pyconv.compat._trees import leaves, mapped
from pyconv.layers._merge import Merge
from pyconv.layers.input import InputLayer


class LossCarrier(Merge):
    """The first of its inputs; the others are losses that a layer of one's own added."""

    def _merged_shape(self, shapes: list[Shape]) -> Shape:
        return shapes[0]

    def _merge(self, xs: list[Array]) -> Array:
        return xs[0]

    def _split(self, dy: Array) -> list[Array]:
        return [dy, *(np.zeros(np.shape(x), np.float32) for x in self._xs[1:])]


def carrying(y: Tensor, losses: Sequence[Tensor]) -> Tensor:
    """Return a tensor of the values of ``y``, behind which models find these losses."""
    carrier: Any = LossCarrier()
    carrier.build([y.shape, *(loss.shape for loss in losses)])
    return Tensor(carrier, [y, *losses])


class AddedLosses(Model):
    """A functional model that may have losses of its tensors."""

    _added: Sequence[Any] = ()
    _targets: Tensor | None = None  # stands for the targets in these losses
    _values: Any = None  # of the tensors, in the last call

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add to what training makes small.

        Args:
            losses: a tensor that was made of the model's inputs by layers and functions, such as a
                mean, or several; of one with a number for each sample the mean is taken. Also
                functions without arguments that return a number.
            inputs: has no effect.

        Raises:
            NotImplementedError: the loss is made of gradients of tensors.
            ValueError: a tensor depends on something else than the model's inputs.
        """
        parts = leaves(losses)
        for part in parts:
            if isinstance(part, Tensor):
                made_of = network(self._starts_of_losses(), [part])
                if any(getattr(tensor.layer, "has_no_gradient", False) for tensor in made_of):
                    raise NotImplementedError(f"gradients within a loss: {NO_SECOND}")
        self._added = [*self._added, *parts]
        self._own = self._own | {"train", "test"}

    def _starts_of_losses(self) -> list[Tensor]:
        return [*self.inputs, *([] if self._targets is None else [self._targets])]

    def _take_carried(self) -> None:
        """Add the losses that layers of one's own added to their calls."""
        for tensor in network(self.inputs, self.outputs):
            if isinstance(tensor.layer, LossCarrier):
                self.add_loss(list(tensor.inputs[1:]))

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        """Say how the model is to be trained; see ``pyconv.Sequential.compile``."""
        function = loss[0] if isinstance(loss, (list, tuple)) and len(loss) == 1 else loss
        if self.built and _refers_to_tensors(function) and len(self.outputs) == 1:
            self._targets = Tensor(InputLayer(batch_shape=self.outputs[0].sizes))
            self.add_loss(function(self._targets, self.outputs[0]))
            loss = None
        super().compile(optimizer, loss, *args, **kwargs)

    def _has_own(self, *names: str) -> bool:
        return bool(self._added) or super()._has_own(*names)

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Return the output for a batch; for what came of an ``Input``, the layers' tensor."""
        if not self._added or tensors_of(leaves(x)) is not None:
            return super().__call__(x, training)
        return self._recorded_call(x, bool(training))

    def _parts_of(self, x: Any) -> list[Any]:
        """Return what is given for each input."""
        return [x]

    def _recorded_call(self, x: Any, training: bool) -> Any:
        """Return the outputs for a batch, layer by layer: each can be differentiated by others."""
        values: dict[Tensor, Any] = {}
        for start, array in zip(self.inputs, self._parts_of(x), strict=True):
            lacks_channel = np.ndim(array) == len(start.shape) - 1 and start.shape[-1] == 1
            values[start] = array[..., np.newaxis] if lacks_channel else array
        self._values = values, training
        found = mapped(self._value, self.output)
        return found if is_open() else mapped(lambda part: eager(unwrapped(part)), found)

    def _value(self, end: Tensor) -> Any:
        """Return the values of a tensor in the last call."""
        values, training = self._values
        starts = [tensor for tensor in values if not tensor.inputs or tensor in self.inputs]
        for tensor in network(starts, [end]):
            if tensor not in values:
                xs = [values[source] for source in tensor.inputs]
                several = isinstance(tensor.layer, Merge)
                called: Any = merge_call if several else layer_call
                values[tensor] = called(tensor.layer, xs if several else xs[0], training)
        return values[end]

    @property
    def losses(self) -> list[Any]:
        """The penalties of the regularizers, and the losses that were added, of the last call."""
        if not self._added or self._values is None:
            return super().losses
        added = [self._added_value(loss) for loss in self._added]
        if not is_open():
            return [*super().losses, *added]
        calls = {id(t.layer): getattr(t.layer, "_last_call", None) for t in self._values[0]}
        penalties = [call.penalties() for call in calls.values() if call is not None]
        return [*(one for some in penalties for one in some), *added]

    def _added_value(self, loss: Any) -> Any:
        if not isinstance(loss, Tensor):
            return loss() if callable(loss) else loss
        value = self._value(loss)
        return np.mean(value) if np.ndim(value) else value

    def _give_targets(self, y: Any, y_pred: Any) -> None:
        if self._targets is not None and self._values is not None:
            values = np.asarray(unwrapped(y), np.float32)
            self._values[0][self._targets] = eager(values.reshape(np.shape(y_pred)))

    def __getstate__(self) -> dict[str, Any]:
        if self._added:
            raise NotImplementedError(
                f"{self.label}: a model with losses of tensors cannot be copied"
            )
        return {**super().__getstate__(), "_values": None}


def _refers_to_tensors(function: Any) -> bool:
    """Whether a function uses tensors that it is not given."""
    if not inspect.isfunction(function):
        return False
    found = inspect.getclosurevars(function)
    return any(isinstance(v, Tensor) for v in [*found.nonlocals.values(), *found.globals.values()])
