"""Layers that add, multiply or compare several inputs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from pyconv import backend
from pyconv._types import Array, Shape
from pyconv.layers._merge import Merge


class Elementwise(Merge):
    """Of each element of the inputs one number; an axis of size 1 is repeated as often as needed.

    Inputs of fewer axes have axes of size 1 after that of the samples, as in Keras. A new one
    implements ``_merge`` and ``_gradient(i, dy)``.
    """

    least = 2
    _lower: Mapping[int, tuple[int, ...]] = MappingProxyType({})  # shapes of fewer axes

    def _merged_shape(self, shapes: list[Shape]) -> Shape:
        rank = max(map(len, shapes))
        first, *others = (_expanded(shape, rank) for shape in shapes)
        for shape in others:
            first = tuple(self._size(a, b, shapes) for a, b in zip(first, shape, strict=True))
        return first

    def _size(self, a: int | None, b: int | None, shapes: list[Shape]) -> int | None:
        if a == b or b == 1:
            return a
        if a == 1:
            return b
        if a is None or b is None:
            return b if a is None else a
        raise self._mismatch(shapes)

    def _mismatch(self, shapes: list[Shape]) -> ValueError:
        return ValueError(
            f"{self.label}: Inputs have incompatible shapes: {', '.join(map(str, shapes))}; sizes "
            "must be equal, or 1, which is repeated"
        )

    def forward(self, x: Any, training: bool) -> Array:
        """Return the result of the arrays ``x``."""
        rank = max(part.ndim for part in x)
        if not self._lower and all(part.ndim == rank for part in x):
            return super().forward(x, training)
        self._lower = {i: part.shape for i, part in enumerate(x) if part.ndim < rank}
        return super().forward([part.reshape(_expanded(part.shape, rank)) for part in x], training)

    def backward(self, dy: Array, need_dx: bool) -> Any:
        """Return the gradients of the arrays, a list, where they are needed."""
        parts = super().backward(dy, need_dx)
        if need_dx:
            for i, shape in self._lower.items():
                parts[i] = parts[i].reshape((-1, *shape[1:]))
        return parts

    def _split(self, dy: Array) -> list[Array]:
        return [_summed(self._gradient(i, dy), x.shape) for i, x in enumerate(self._xs)]

    def _gradient(self, i: int, dy: Array) -> Array:
        """Return the gradient of input i, of the shape of the result, in memory of its own."""
        raise NotImplementedError

    def _shape(self) -> tuple[int, ...]:
        return np.broadcast_shapes(*(x.shape for x in self._xs))


class Add(Elementwise):
    """The sum of the inputs.

    Args:
        **kwargs: ``name``, ``trainable``, ``dtype`` of ``Layer``.

    Input shape:
        A list of shapes, equal but for sizes of 1.

    Output shape:
        That of each input.

    Raises:
        ValueError: there are fewer than two inputs, or their shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Add()([np.array([[1.0, 2.0]]), np.array([[10.0, 20.0]])])
        array([[11., 22.]], dtype=float32)
    """

    def _merge(self, xs: list[Array]) -> Array:
        shape = self._shape()
        y = self._buffer("y", shape)
        if all(x.shape == shape for x in xs):
            total = xs[0]
            for x in xs[1:]:
                total = backend.active.add_forward(total, x, "linear", y)
            return total
        y[...] = xs[0]
        for x in xs[1:]:
            np.add(y, x, out=y)
        return y

    def _gradient(self, i: int, dy: Array) -> Array:
        if i == 0:
            return dy
        # Whoever is given a gradient may write over it.
        own = self._buffer(f"dx {i}", dy.shape)
        own[...] = dy
        return own

    def _split(self, dy: Array) -> list[Array]:
        # The first takes dy itself, once the others have their copies.
        later = [self._gradient(i, dy) for i in range(1, len(self._xs))]
        return [_summed(g, x.shape) for g, x in zip([dy, *later], self._xs, strict=True)]


class Subtract(Elementwise):
    """The first input less the second.

    Args:
        **kwargs: ``name``, ``trainable``, ``dtype`` of ``Layer``.

    Input shape:
        A list of two shapes, equal but for sizes of 1.

    Output shape:
        That of each input.

    Raises:
        ValueError: there are not two inputs, or their shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Subtract()([np.array([[10.0, 20.0]]), np.array([[1.0, 2.0]])])
        array([[ 9., 18.]], dtype=float32)
    """

    most = 2

    def _merge(self, xs: list[Array]) -> Array:
        y: Array = np.subtract(xs[0], xs[1], out=self._buffer("y", self._shape()))
        return y

    def _gradient(self, i: int, dy: Array) -> Array:
        own = self._buffer(f"dx {i}", dy.shape)
        np.multiply(dy, np.float32(1 - 2 * i), out=own)
        return own


class Multiply(Elementwise):
    """The product of the inputs.

    Args:
        **kwargs: ``name``, ``trainable``, ``dtype`` of ``Layer``.

    Input shape:
        A list of shapes, equal but for sizes of 1.

    Output shape:
        That of each input.

    Raises:
        ValueError: there are fewer than two inputs, or their shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Multiply()([np.array([[1.0, 2.0]]), np.array([[10.0, 20.0]])])
        array([[10., 40.]], dtype=float32)
    """

    def _merge(self, xs: list[Array]) -> Array:
        return _product(xs, self._buffer("y", self._shape()))

    def _gradient(self, i: int, dy: Array) -> Array:
        others = [x for j, x in enumerate(self._xs) if j != i]
        return _product([dy, *others], self._buffer(f"dx {i}", dy.shape))


class Average(Add):
    """The mean of the inputs.

    Args:
        **kwargs: ``name``, ``trainable``, ``dtype`` of ``Layer``.

    Input shape:
        A list of shapes, equal but for sizes of 1.

    Output shape:
        That of each input.

    Raises:
        ValueError: there are fewer than two inputs, or their shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Average()([np.array([[1.0, 2.0]]), np.array([[3.0, 6.0]])])
        array([[2., 4.]], dtype=float32)
    """

    def _merge(self, xs: list[Array]) -> Array:
        total = super()._merge(xs)
        np.divide(total, np.float32(len(xs)), out=total)
        return total

    def _split(self, dy: Array) -> list[Array]:
        np.divide(dy, np.float32(len(self._xs)), out=dy)
        return super()._split(dy)


class Maximum(Elementwise):
    """The greatest of the inputs; of equal ones the first takes the gradient.

    Args:
        **kwargs: ``name``, ``trainable``, ``dtype`` of ``Layer``.

    Input shape:
        A list of shapes, equal but for sizes of 1.

    Output shape:
        That of each input.

    Raises:
        ValueError: there are fewer than two inputs, or their shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Maximum()([np.array([[1.0, 5.0]]), np.array([[3.0, 2.0]])])
        array([[3., 5.]], dtype=float32)
    """

    _better: ClassVar[Any] = np.greater

    def _merge(self, xs: list[Array]) -> Array:
        shape = self._shape()
        y = np.array(np.broadcast_to(np.asarray(xs[0]), shape))
        self._chosen = np.zeros(shape, np.intp)
        for i, x in enumerate(xs[1:], 1):
            other = np.broadcast_to(np.asarray(x), shape)
            # Not a number where one of them is none.
            wins = type(self)._better(other, y) | (np.isnan(other) & ~np.isnan(y))
            y[wins], self._chosen[wins] = other[wins], i
        on_device: Array = backend.on_device(y)
        return on_device

    def _gradient(self, i: int, dy: Array) -> Array:
        return np.asarray(np.where(self._chosen == i, np.asarray(dy), 0), np.float32)


class Minimum(Maximum):
    """The least of the inputs; of equal ones the first takes the gradient.

    Args:
        **kwargs: ``name``, ``trainable``, ``dtype`` of ``Layer``.

    Input shape:
        A list of shapes, equal but for sizes of 1.

    Output shape:
        That of each input.

    Raises:
        ValueError: there are fewer than two inputs, or their shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Minimum()([np.array([[1.0, 5.0]]), np.array([[3.0, 2.0]])])
        array([[1., 2.]], dtype=float32)
    """

    _better = np.less


def _expanded(shape: tuple[Any, ...], rank: int) -> tuple[Any, ...]:
    return (shape[0], *(1,) * (rank - len(shape)), *shape[1:])


def _product(factors: list[Array], out: Array) -> Array:
    np.multiply(factors[0], factors[1], out=out)
    for factor in factors[2:]:
        np.multiply(out, factor, out=out)
    return out


def _summed(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Return a gradient of the result's shape as one of an input's, summed where it repeats."""
    repeated = tuple(
        i for i, (a, b) in enumerate(zip(gradient.shape, shape, strict=True)) if a != b
    )
    if repeated:
        gradient = np.asarray(gradient).sum(repeated, np.float32, keepdims=True)
    own: Array = backend.on_device(gradient)
    return own
