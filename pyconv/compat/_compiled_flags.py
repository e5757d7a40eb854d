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

    _flags: list[tuple[Any, bool]] | None = None  # None: not known yet

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Say how the model is to be trained; see ``pyconv.Sequential.compile``."""
        super().compile(*args, **kwargs)
        self._flags = _flags_of(self) if self._layers else None

    def _train_step(self, batch: Batch) -> None:
        turn_to = getattr(self.optimizer, "turn_to", None)
        if turn_to is not None:
            turn_to(self)
        if self._flags is None:
            self._flags = _flags_of(self)
        for owner, flag in self._flags:
            if owner.trainable != flag:
                self._train_step_as_compiled(batch)
                return
        super()._train_step(batch)

    def _can_run_ahead(self) -> bool:
        flags = self._flags or ()
        return all(owner.trainable == flag for owner, flag in flags) and super()._can_run_ahead()

    def _train_step_as_compiled(self, batch: Batch) -> None:
        warnings.warn(
            f"{self.label}: `trainable` was changed after compile, which has no effect on the "
            "training of this model until it is compiled again",
            stacklevel=5,
        )
        assert self._flags is not None
        now = [(owner, owner.trainable) for owner, _ in self._flags]
        # From the outside in: a model's own flag sets those within.
        _set(self._flags)
        try:
            super()._train_step(batch)
        finally:
            _set(now)


def _flags_of(model: Any) -> list[tuple[Any, bool]]:
    return [(owner, bool(owner.trainable)) for owner in _owners(model)]


def _owners(model: Any) -> Iterator[Any]:
    """Give a model and all layers in it, each before those within, and once."""
    yield model
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
