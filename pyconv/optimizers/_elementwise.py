"""The base of optimizers whose rule, element by element, is written in numpy."""

from collections.abc import Sequence
from typing import Any

from pyconv import backend
from pyconv._types import Array
from pyconv.optimizers.optimizer import Optimizer

# Elements of a piece: its arrays stay in the first caches from one operation to the next.
PIECE = 8192


class Elementwise(Optimizer):
    """Updates parameters piece by piece, so that temporary arrays never leave the cache."""

    def _update(self, params: Sequence[Array], grads: Sequence[Array], weight_decay: float) -> None:
        rate = float(self.learning_rate)
        numbers = self._numbers(rate)
        names = [name for group in self._slot_groups() for name in group]
        converted = [backend.float32(grad) for grad in grads]
        for i, (param, grad) in enumerate(zip(params, converted, strict=True)):
            arrays = (param, grad, *(self._slots[name][i] for name in names))
            flat = [array.reshape(-1) for array in arrays]
            piece = PIECE if backend.active is backend.cpu else max(param.size, 1)
            for at in range(0, param.size, piece):
                w, g, *state = (array[at : at + piece] for array in flat)
                if weight_decay:
                    w -= w * (weight_decay * rate)
                self._rule(w, g, state, numbers)

    def _numbers(self, rate: float) -> tuple[float, ...]:
        """Return what the rule needs of this step, alike for all elements."""
        return (rate,)

    def _rule(self, w: Array, g: Array, state: list[Array], numbers: Any) -> None:
        """Update a piece of a parameter and of its state, in place."""
        raise NotImplementedError
