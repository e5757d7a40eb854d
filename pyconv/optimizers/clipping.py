"""Gradient clipping, before the update."""

import math
from collections.abc import Sequence

import numpy as np

from pyconv import backend
from pyconv._args import float_arg
from pyconv._types import Array


class Clipping:
    """Clips gradients by value, by the norm of each, or by the norm of all together.

    The clipped copies are buffers that the next call overwrites.
    """

    def __init__(
        self,
        owner: str,
        clipnorm: float | None,
        clipvalue: float | None,
        global_clipnorm: float | None,
    ) -> None:
        given = {
            name: float_arg(owner, name, value)
            for name, value in (
                ("clipnorm", clipnorm),
                ("clipvalue", clipvalue),
                ("global_clipnorm", global_clipnorm),
            )
            if value is not None
        }
        if len(given) > 1:
            raise ValueError(
                f"{owner}: Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set, "
                f"got {given}"
            )
        for name, value in given.items():
            if value == 0:
                raise ValueError(f"{owner}: {name} must be above 0, got 0; leave it out instead")
        self.clipnorm = given.get("clipnorm")
        self.clipvalue = given.get("clipvalue")
        self.global_clipnorm = given.get("global_clipnorm")
        self._clipped: list[Array] = []

    @property
    def active(self) -> bool:
        """Whether gradients may be changed."""
        return any(
            limit is not None for limit in (self.clipnorm, self.clipvalue, self.global_clipnorm)
        )

    def __call__(self, grads: Sequence[Array]) -> Sequence[Array]:
        if self.clipvalue is not None:
            for grad, out in self._buffers(grads):
                np.clip(grad, -self.clipvalue, self.clipvalue, out=out)
        elif self.clipnorm is not None:
            for grad, out in self._buffers(grads):
                _multiply(grad, _scale(_square_sum(grad), self.clipnorm), out)
        elif self.global_clipnorm is not None:
            scale = _scale(sum(_square_sum(grad) for grad in grads), self.global_clipnorm)
            for grad, out in self._buffers(grads):
                _multiply(grad, scale, out)
        else:
            return grads
        return self._clipped

    def forget(self) -> None:
        """Drop the buffers."""
        self._clipped = []

    def _buffers(self, grads: Sequence[Array]) -> "zip[tuple[Array, Array]]":
        if [array.shape for array in self._clipped] != [grad.shape for grad in grads]:
            self._clipped = [backend.empty(grad.shape, np.float32) for grad in grads]
        return zip(grads, self._clipped, strict=True)


def _multiply(grad: Array, scale: float, out: Array) -> None:
    # An infinite gradient becomes NaN, which the loss shows; numpy need not warn as well.
    with np.errstate(invalid="ignore"):
        np.multiply(grad, scale, out=out)


def _square_sum(grad: Array) -> float:
    # einsum, not dot: a BLAS sums in an order that depends on its number of threads.
    flat = grad.reshape(-1)
    return float(np.einsum("i,i->", flat, flat, dtype=np.float64))


def _scale(square_sum: float, norm: float) -> float:
    # A NaN must come first: max() then keeps it, and the gradients show it.
    return norm / max(math.sqrt(square_sum), norm)
