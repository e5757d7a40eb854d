"""What layers share that draw random numbers: a seed, and a place in its stream."""

from collections.abc import Mapping
from typing import Any

from pyconv import _random
from pyconv._args import int_arg
from pyconv.layers.layer import Layer


class Seeded(Layer):
    """A layer that draws; where it is in its stream is its state."""

    def __init__(self, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = None if seed is None else int_arg(self.label, "seed", seed, 0, 2**63 - 1)
        self._stream = _random.fresh_seed() if self.seed is None else self.seed
        self._next = 0

    def get_state(self) -> dict[str, int]:
        """Return where the layer is in its stream of numbers."""
        return {"stream": self._stream, "next": self._next}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where ``get_state`` was called.

        Raises:
            TypeError: a value is not an integer.
            ValueError: ``state`` is not of such a layer.
        """
        if set(state) != {"stream", "next"}:
            raise ValueError(f"{self.label}: state must hold stream and next, got {sorted(state)}")
        stream = int_arg(self.label, "stream", state["stream"], 0, 2**63 - 1)
        self._next = int_arg(self.label, "next", state["next"], 0, 2**64 - 1)
        self._stream = stream

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "seed": self.seed}
