"""Which layers a model trains: as ``trainable`` was when it was compiled, as Keras has it."""

import warnings
from collections.abc import Iterator
from typing import Any

from pyconv.batches import Batch
from pyconv.compat._own_steps import OwnSteps
from pyconv.layers._container import Container


class CompiledFlags(OwnSteps):
    """A model whose steps of training see the flags that ``compile`` saw.

    Networks that train against each other share layers: those that one of them trains are set to
    ``trainable = False`` before the other is compiled, and stay so.
    """

    _flags: list[tuple[Any, bool]] | None = None  # of the layers; None: not known yet
    _own_flag = True  # not among the others, so that a model does not hold itself

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Say how the model is to be trained; see ``pyconv.Sequential.compile``."""
        super().compile(*args, **kwargs)
        if self._layers:
            self._see_flags()
        else:
            self._flags = None

    def _see_flags(self) -> None:
        self._own_flag = bool(self.trainable)
        self._flags = [(layer, bool(layer.trainable)) for layer in _layers_of(self)]

    def _all_flags(self) -> list[tuple[Any, bool]]:
        """Return the flags from the outside in: a model's own flag sets those within."""
        return [(self, self._own_flag), *(self._flags or ())]

    def _train_step(self, batch: Batch) -> None:
        turn_to = getattr(self.optimizer, "turn_to", None)
        if turn_to is not None:
            turn_to(self)
        if self._flags is None:
            self._see_flags()
        if not self._has_flags_as_compiled():
            self._train_step_as_compiled(batch)
            return
        super()._train_step(batch)

    def _can_run_ahead(self) -> bool:
        return self._has_flags_as_compiled() and super()._can_run_ahead()

    def _has_flags_as_compiled(self) -> bool:
        if self._flags is None:
            return True
        return self.trainable == self._own_flag and all(
            layer.trainable == flag for layer, flag in self._flags
        )

    def _train_step_as_compiled(self, batch: Batch) -> None:
        warnings.warn(
            f"{self.label}: `trainable` was changed after compile, which has no effect on the "
            "training of this model until it is compiled again",
            stacklevel=5,
        )
        compiled = self._all_flags()
        now = [(owner, owner.trainable) for owner, _ in compiled]
        _set(compiled)
        try:
            super()._train_step(batch)
        finally:
            _set(now)


def _layers_of(model: Any) -> Iterator[Any]:
    """Give all layers of a model, each before those within, and once."""
    seen = {id(model)}
    waiting = list(reversed(model._layers))
    while waiting:
        layer = waiting.pop()
        if id(layer) in seen:  # a layer may have its model as an attribute
            continue
        seen.add(id(layer))
        yield layer
        if isinstance(layer, Container):
            waiting += reversed(layer.layers)
        else:
            waiting += reversed(list(getattr(layer, "_layers", ())))


def _set(flags: list[tuple[Any, bool]]) -> None:
    for owner, flag in flags:
        owner.trainable = flag
