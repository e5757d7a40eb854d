"""Dropout."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._types import Array, Shape
from pyconv.layers._arguments import rate_arg
from pyconv.layers._seeded import Seeded
from pyconv.layers.noise import choices, kept_factors, noise_shape_arg


class Dropout(Seeded):
    """In training, sets a share of the numbers to 0 and divides the others by ``1 - rate``.

    Outside training it changes nothing. Srivastava et al., 2014.

    Args:
        rate: the share, from 0 to 1.
        noise_shape: the shape of the choices, 1 where one is for all: ``(None, 1, 1, None)`` for
            whole channels of an image; None for that of the input.
        seed: an integer for the same choices in each run; by default it is drawn from the
            library's generator (``pyconv.utils.set_random_seed``).
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.Dropout(0.5, seed=1)
        >>> layer(np.ones((1, 4)))
        array([[1., 1., 1., 1.]], dtype=float32)
        >>> bool(np.isin(layer(np.ones((1, 100)), training=True), [0, 2]).all())
        True
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, **kwargs)
        self.noise_shape = noise_shape_arg(self.label, noise_shape)
        self.rate = rate_arg(self.label, rate)
        self._offset: int | None = None
        self._factor: Any = None
        # Where a step that is recorded as a graph reads the offset: int64 (1,) on the device.
        self.place: Any = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        return tuple(input_shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return x, with numbers dropped in training."""
        if not training or self.rate == 0:
            self._offset = None
            return x
        # Each forward draws from its own part of the stream; backward reads that part again.
        self._offset = self.advance(x.size)
        if self.noise_shape is not None:
            generator = np.random.default_rng((self._stream, self._offset))
            kept = kept_factors(
                generator, self.rate, choices(self.label, x.shape, self.noise_shape)
            )
            self._factor = backend.on_device(kept)
        return self._drop(x, self._buffer("y", x.shape))

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, written over dy, where it is needed."""
        if not need_dx:
            return None
        return dy if self._offset is None else self._drop(dy, dy)

    def advance(self, size: int) -> int:
        """Take the next ``size`` numbers of the stream; return where they begin."""
        offset, self._next = self._next, (self._next + size) % 2**64
        return offset

    def _drop(self, x: Array, out: Array) -> Array:
        assert self._offset is not None
        if self.noise_shape is not None:
            np.multiply(x, self._factor, out=out)
            return out
        if self.place is not None:
            native: Any = backend.active
            return native.dropout_at(x, self.rate, self._stream, self.place, out)  # type: ignore[no-any-return]
        return backend.active.dropout(x, self.rate, self._stream, self._offset, out)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": self.noise_shape,
        }
