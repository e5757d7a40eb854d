"""Layers that were called with ``training=True`` or ``False``: they do so in fit and in predict."""

from functools import cache
from typing import Any

from pyconv._types import Array
from pyconv.layers._augmentation import Augmentation


def fix_phase(layer: Any, training: bool) -> None:
    """Have a layer do what it does in training, or outside of it, whatever the model does.

    Raises:
        NotImplementedError: the layer changes images in training.
    """
    if isinstance(layer, Augmentation):
        raise NotImplementedError(
            f"{layer.label}: a call with training={training}: layers that change images do so in "
            "fit and not in predict; call the layer on arrays to see them changed"
        )
    if not hasattr(layer, "phase"):
        kind: Any = type(layer)
        layer.__class__ = _in_phase(kind)
    layer.phase = training


@cache
def _in_phase(kind: Any) -> Any:
    """Return the class of layers of ``kind`` whose ``training`` is fixed."""

    class InPhase(kind):  # type: ignore[misc]
        """A layer that is always in training, or never."""

        phase: bool | None = None

        def forward(self, x: Array, training: bool, **options: Any) -> Array:
            """Return the layer's result in its own phase."""
            phase = training if self.phase is None else self.phase
            result: Array = super().forward(x, phase, **options)
            return result

        def called(self, x: Any, *args: Any, **kwargs: Any) -> Any:
            """Return the result for arrays, for which the call alone says the phase."""
            phase, self.phase = self.phase, None
            try:
                return super().called(x, *args, **kwargs)
            finally:
                self.phase = phase

    for name in ("__name__", "__qualname__", "__module__"):
        setattr(InPhase, name, getattr(kind, name))
    return InPhase
