"""Scale and offset of the input by the mean and the variance of data."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from pyconv._args import bool_arg, int_arg
from pyconv._convert import float32_array
from pyconv._types import Array, Shape
from pyconv.initializers import Ones, Zeros
from pyconv.layers.layer import Layer

_EPSILON = 1e-7
_BLOCK = 1 << 20  # numbers converted to float64 at once


class Normalization(Layer):
    """``(x - mean) / sqrt(variance)``, in training and outside.

    Args:
        axis: the axis, or the axes, whose cells each have a mean and a variance of their own, not
            the batch (0); None for one of each for all numbers.
        mean: the mean; by default ``adapt`` finds it in data.
        variance: the variance; both or neither are given.
        invert: True for ``mean + x * sqrt(variance)``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any with these axes.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or only one of mean and variance is given.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.Normalization()
        >>> layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]]))
        >>> layer(np.array([[2.0, 40.0]]))
        array([[0., 2.]], dtype=float32)
    """

    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        given = () if axis is None else axis if isinstance(axis, (list, tuple)) else (axis,)
        self.axis = tuple(int_arg(self.label, "axis", one, -32, 32) for one in given)
        if 0 in self.axis:
            raise ValueError(f"{self.label}: axis must not be 0, the axis of the batch")
        if (mean is None) != (variance is None):
            raise ValueError(
                f"{self.label}: When setting values directly, both `mean` and `variance` must be "
                f"set, got mean={mean!r:.40} and variance={variance!r:.40}"
            )
        self.input_mean = None if mean is None else float32_array(self.label, "mean", mean)
        self.input_variance = (
            None if variance is None else float32_array(self.label, "variance", variance)
        )
        if self.input_variance is not None and np.any(self.input_variance < 0):
            raise ValueError(
                f"{self.label}: variance must be at least 0, got {float(self.input_variance.min())}"
            )
        self.invert = bool_arg(self.label, "invert", invert)

    @property
    def mean(self) -> Array:
        """The mean, with an axis of 1 for each axis of the input that has but one."""
        return self._spread("mean", self.input_mean)

    @property
    def variance(self) -> Array:
        """The variance, likewise."""
        return self._spread("variance", self.input_variance)

    def _kept_axes(self, rank: int) -> list[int]:
        axes = sorted({axis % rank for axis in self.axis if -rank <= axis < rank})
        if len(axes) < len(self.axis) or 0 in axes:
            raise ValueError(
                f"{self.label}: All `axis` values must be in the range of the input's axes, "
                f"each once, and not the batch, got axis={self.axis} and an input of {rank} axes"
            )
        return axes

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        kept = self._kept_axes(len(input_shape))
        built = self._kept_axes(len(self.input_shape)) if self.knows_shape else kept
        for axis, of_built in zip(kept, built, strict=True):
            if input_shape[axis] is None:
                raise ValueError(
                    f"{self.label}: All `axis` values to be kept must have a known shape, got "
                    f"axis={self.axis} and an input of {tuple(input_shape)}"
                )
            if self.knows_shape and input_shape[axis] != self.input_shape[of_built]:
                raise ValueError(
                    f"{self.label}: it was built for {self.input_shape}, got an input of "
                    f"{tuple(input_shape)}, an incompatible shape"
                )
        return tuple(input_shape)

    def _create_weights(self, input_shape: Shape) -> None:
        if self.input_mean is not None:
            return
        kept = self._kept_axes(len(input_shape))
        shape = tuple(n for axis in kept if (n := input_shape[axis]) is not None)
        self._add_weight("mean", shape, Zeros(), trainable=False)
        self._add_weight("variance", shape, Ones(), trainable=False)
        self._add_weight("count", (), Zeros(), trainable=False)

    def adapt(self, data: Any) -> None:
        """Take mean and variance of data, in place of what was taken before.

        Args:
            data: an array (N, ...), or batches: an iterable or a ``PyDataset`` of such arrays, or
                of tuples that begin with one.

        Raises:
            TypeError: ``data`` does not hold numbers.
            ValueError: mean and variance were given, or the data is empty or of other sizes.
        """
        if self.input_mean is not None:
            raise ValueError(
                f"{self.label}: Cannot `adapt` a Normalization layer that is initialized with "
                "static `mean` and `variance`"
            )
        count, mean, square = 0.0, np.zeros(()), np.zeros(())
        for batch in _batches(data):
            array = np.asarray(batch)
            if array.ndim == 0:
                raise TypeError(
                    f"{self.label}: adapt wants batches, arrays with a `.shape` of (N, ...), got "
                    f"{batch!r:.60}"
                )
            if array.dtype.kind not in "buif":
                raise TypeError(f"{self.label}: adapt wants numbers, got a {array.dtype} array")
            if array.ndim == 1:
                array = array[:, None]
            if not self.built:
                self.build((None, *array.shape[1:]))
            self.compute_output_shape(array.shape)
            kept = self._kept_axes(array.ndim)
            others = tuple(axis for axis in range(array.ndim) if axis not in kept)
            rows = max(1, _BLOCK // max(1, math.prod(array.shape[1:])))
            for at in range(0, len(array), rows):
                part = array[at : at + rows].astype(np.float64)
                size = part.size / max(1, math.prod(array.shape[axis] for axis in kept))
                own = part.mean(axis=others)
                off = own - mean
                # Chan, Golub and LeVeque, 1979.
                square = square + part.var(axis=others) * size
                square = square + off**2 * (count * size / (count + size))
                mean = mean + off * (size / (count + size))
                count += size
        if count == 0:
            raise ValueError(f"{self.label}: adapt got no data: an empty iterable, or array")
        self._weights["mean"][...] = mean.astype(np.float32)
        self._weights["variance"][...] = (square / count).astype(np.float32)

    def _spread(self, name: str, given: Array | None) -> Array:
        rank = len(self.input_shape)
        kept = self._kept_axes(rank)
        shape, own = [1] * rank, [1] * rank
        for axis in kept:
            size = self.input_shape[axis]
            assert size is not None
            shape[axis] = size
        value = np.asarray(self._weights[name] if given is None else given)
        if value.size == math.prod(shape):
            return value.reshape(shape)
        # Its axes are the last ones of those that are kept.
        for axis, size in zip(kept[::-1], value.shape[::-1], strict=False):
            own[axis] = size
        return np.broadcast_to(value.reshape(own) if value.ndim <= len(kept) else value, shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the normalized batch."""
        deviation = np.maximum(np.sqrt(self.variance), np.float32(_EPSILON))
        y = self._buffer("y", x.shape)
        values = np.asarray(x)
        if self.invert:
            self._slope = deviation
            y[...] = self.mean + values * deviation
        else:
            self._slope = 1 / deviation
            y[...] = (values - self.mean) / deviation
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, written over dy, where it is needed."""
        if not need_dx:
            return None
        dy[...] = np.asarray(dy) * self._slope
        return dy

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "axis": self.axis or None,
            "invert": self.invert,
            "mean": None if self.input_mean is None else self.input_mean.tolist(),
            "variance": None if self.input_variance is None else self.input_variance.tolist(),
        }


def _batches(data: Any) -> Iterable[Any]:
    """Give the batches of what ``adapt`` takes, of those with targets the inputs."""
    if isinstance(data, np.ndarray) or hasattr(data, "__array__"):
        return [data]
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        if not isinstance(data, (list, tuple)):
            return (_inputs(data[i]) for i in range(len(data)))
        first = _inputs(data[0]) if data else None
        if data and not hasattr(first, "shape"):
            return [data]  # an array written as lists
    return map(_inputs, data)


def _inputs(batch: Any) -> Any:
    return batch[0] if isinstance(batch, tuple) else batch
