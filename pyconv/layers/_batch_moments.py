"""Batch normalization by masked or renormalized moments, in numpy.

The kernels know neither masks nor renormalization (Ioffe, 2017); few networks have them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import backend
from pyconv._args import bool_arg, float_arg, shown
from pyconv._types import Array
from pyconv.layers._arguments import number_arg
from pyconv.layers._masks import of_steps

_EPSILON = 1e-7  # Keras's, beside the count of what is not masked
_Numbers = NDArray[np.float64]


@dataclass
class Normalized:
    """Rows (R, C) normalized by their own mean and variance.

    ``y = (x - mean) / deviation * r + d``, where r and d are taken as constants.
    """

    off: _Numbers  # x - mean
    mean: _Numbers
    variance: _Numbers
    deviation: _Numbers
    weights: _Numbers  # of each number in the mean (R, C)
    r: Any = 1.0
    d: Any = 0.0

    @property
    def values(self) -> _Numbers:
        """The normalized rows."""
        result: _Numbers = self.off / self.deviation * self.r + self.d
        return result

    def backward(self, grad: _Numbers) -> _Numbers:
        """Return the gradient of the rows from that of ``values``."""
        scaled = grad * self.r / self.deviation
        dvariance = -0.5 * (scaled * self.off).sum(axis=0) / self.deviation**2
        dmean = -scaled.sum(axis=0) - 2 * dvariance * (self.weights * self.off).sum(axis=0)
        result: _Numbers = scaled + self.weights * (2 * dvariance * self.off + dmean)
        return result


def normalized(rows: Array, mask: NDArray[np.bool_] | None, epsilon: float) -> Normalized:
    """Return rows (R, C) normalized by mean and variance of what counts: mask (R, C)."""
    x = np.asarray(rows, np.float64)
    if mask is None:
        weights = np.full((len(x), 1), 1 / len(x))
    else:
        weights = mask / (np.count_nonzero(mask, axis=0) + _EPSILON)
    mean = (weights * x).sum(axis=0)
    off = x - mean
    variance = (weights * np.square(off)).sum(axis=0)
    return Normalized(off, mean, variance, np.sqrt(variance + epsilon), weights)


class ByMoments:
    """The part of ``BatchNormalization`` that works without kernels."""

    _done: Normalized | None = None

    def _renorm_arguments(self: Any, renorm: bool, clipping: Any, momentum: float) -> None:
        self.renorm = bool_arg(self.label, "renorm", renorm)
        self.renorm_momentum = float_arg(self.label, "renorm_momentum", momentum, 0, 1)
        self.renorm_clipping = clipping_arg(self.label, clipping) if renorm else clipping

    def _create_renorm_weights(self: Any, shape: tuple[int, ...]) -> None:
        """Add what Keras keeps: the moving deviation, and the moments of the corrections."""
        own = vars(self)

        def deviation(shape: tuple[int, ...]) -> Array:
            root: Array = np.sqrt(np.asarray(own["moving_variance_initializer"](shape)))
            return root

        for name, first in (
            ("moving_stddev", deviation),
            ("renorm_mean", own["moving_mean_initializer"]),
            ("renorm_stddev", deviation),
        ):
            self._add_weight(name, shape, first, trainable=False)

    def _normalize(self: Any, x: Array, training: bool) -> Array:
        """Return the normalized batch; in training, take its moments up."""
        turned = np.moveaxis(np.asarray(x), self.axis, -1)
        rows = turned.reshape(-1, turned.shape[-1])
        mask = self._taken_mask()
        if mask is not None:
            cells = np.broadcast_to(of_steps(self, mask, np.asarray(x))[..., None], x.shape)
            mask = np.moveaxis(cells, self.axis, -1).reshape(rows.shape)
        done = normalized(rows, mask, self.epsilon)
        if self.renorm:
            self._correct(done)
            self._take_deviation(done)
        else:
            self._take(self.moving_mean, done.mean, self.momentum)
            self._take(self.moving_variance, done.variance, self.momentum)
        self._done = done
        y = done.values
        if self.scale:
            y = y * np.asarray(self.gamma)
        if self.center:
            y = y + np.asarray(self.beta)
        back = np.moveaxis(y.reshape(turned.shape), -1, self.axis)
        result: Array = backend.on_device(np.ascontiguousarray(back, np.float32))
        return result

    def _normalize_backward(self: Any, dy: Array, need_dx: bool) -> Array | None:
        """Fill ``grads``; return the gradient of x where it is needed."""
        done = self._done
        turned = np.moveaxis(np.asarray(dy), self.axis, -1)
        grad = turned.reshape(-1, turned.shape[-1]).astype(np.float64)
        grads = iter(self.grads if self.trainable else [])
        if self.scale:
            dgamma = next(grads, None)
            if dgamma is not None:
                dgamma[...] = (grad * done.values).sum(axis=0).astype(np.float32)
        if self.center:
            dbeta = next(grads, None)
            if dbeta is not None:
                dbeta[...] = grad.sum(axis=0).astype(np.float32)
        if not need_dx:
            return None
        if self.scale:
            grad = grad * np.asarray(self.gamma)
        dx = np.moveaxis(done.backward(grad).reshape(turned.shape), -1, self.axis)
        result: Array = backend.on_device(np.ascontiguousarray(dx, np.float32))
        return result

    def _correct(self: Any, done: Normalized) -> None:
        """Have the batch normalized as if by the moving moments: Ioffe's r and d."""
        deviation = np.maximum(np.asarray(self.renorm_stddev, np.float64), self.epsilon**0.5)
        limits = self.renorm_clipping
        r = done.deviation / deviation
        d = (done.mean - np.asarray(self.renorm_mean)) / deviation
        most = limits.get("dmax", np.inf)
        done.r = np.clip(r, limits.get("rmin", -np.inf), limits.get("rmax", np.inf))
        done.d = np.clip(d, -most, most)

    def _take_deviation(self: Any, done: Normalized) -> None:
        self._take(self.renorm_mean, done.mean, self.renorm_momentum)
        self._take(self.renorm_stddev, done.deviation, self.renorm_momentum)
        self._take(self.moving_mean, done.mean, self.momentum)
        self._take(self.moving_stddev, done.deviation, self.momentum)
        variance = np.square(np.asarray(self.moving_stddev, np.float64)) - self.epsilon
        self.moving_variance[...] = np.maximum(variance, 0).astype(np.float32)

    @staticmethod
    def _take(moving: Array, batch: _Numbers, momentum: float) -> None:
        """Take a batch's moments up."""
        moving *= np.float32(momentum)
        moving += (batch * (1 - momentum)).astype(np.float32)


def clipping_arg(owner: str, value: Any) -> dict[str, float]:
    """Return the limits of renormalization, checked as Keras does."""
    limits = {} if value is None else value
    if not isinstance(limits, Mapping) or set(limits) - {"rmax", "rmin", "dmax"}:
        raise ValueError(
            f"{owner}: renorm_clipping must be a dict of 'rmax', 'rmin' and 'dmax'. Received "
            f"invalid keys: {shown(value)}"
        )
    found = {name: number_arg(owner, f"renorm_clipping[{name}]", v) for name, v in limits.items()}
    if found.get("rmax", np.inf) < found.get("rmin", -np.inf):
        raise ValueError(f"{owner}: rmax should be at least rmin in renorm_clipping, got {found}")
    if found.get("dmax", 0) < 0:
        raise ValueError(f"{owner}: dmax should be non-negative in renorm_clipping, got {found}")
    return found
