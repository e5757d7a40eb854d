"""What a recorded training step asks of its optimizer."""

from collections.abc import Sequence
from typing import Any

from pyconv._registry import kind_of
from pyconv._types import Array
from pyconv.optimizers._attributes import Attributes
from pyconv.optimizers._decay import Exclusion


class Recorded(Attributes):
    """An optimizer whose native update can be recorded, and launched again without Python."""

    _exclusion: Exclusion | None
    _place: Any = None  # where the update that is being recorded finds its rate and its number

    @property
    def takes_products(self) -> bool:
        """Whether ``apply`` takes a pair (x, dy) in place of the gradient ``x.T @ dy``.

        Its parts are then multiplied out in a core's cache as the parameters are updated, and are
        never written to memory. Optimizers that look at gradients before that do not.

        Example:
            >>> import pyconv
            >>> pyconv.optimizers.SGD().takes_products
            True
            >>> pyconv.optimizers.SGD(clipnorm=1.0).takes_products
            False
        """
        return (
            "_native" in vars(kind_of(self))
            and not self._clipping.active
            and not self._extras.active
            and self._exclusion is None
        )

    @property
    def is_native(self) -> bool:
        """Whether native code makes a step from what is known before: gradients, rate and step.

        Example:
            >>> import pyconv
            >>> pyconv.optimizers.SGD().is_native
            True
            >>> pyconv.optimizers.SGD(learning_rate=lambda: 0.1).is_native
            False
        """
        rate = self._learning_rate
        known = isinstance(rate, float) or type(rate).__module__.startswith("pyconv.")
        return known and self.takes_products

    @property
    def _step_numbers(self) -> list[float]:
        """What a native update has that differs from step to step: the rate, and its number."""
        return [self.learning_rate, self._next_update()]

    def _record(self, grads: Sequence[Any], params: Sequence[Any], numbers: Any) -> None:
        """Let a recorded step have the update, which reads its ``numbers`` from that array."""
        self._place = numbers
        try:
            self._update(params, grads, self._decay(params))
        finally:
            self._place = None

    def _note_update(self, params: Sequence[Any]) -> None:
        """Count an update of these parameters that a recorded step made."""
        self._iterations += 1

    @property
    def _rate(self) -> Any:
        """The learning rate, or where a recorded step reads it."""
        return self.learning_rate if self._place is None else self._place

    def _update(self, params: Sequence[Array], grads: Sequence[Array], weight_decay: float) -> None:
        raise NotImplementedError

    def _decay(self, params: Sequence[Array]) -> float:
        raise NotImplementedError
