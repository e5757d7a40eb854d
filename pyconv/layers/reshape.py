"""Layers that give the numbers of a sample other axes."""

import math
from typing import Any

import numpy as np

from pyconv._args import in_other_words, int_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import known_sizes
from pyconv.layers.layer import Layer


class Reshape(Layer):
    """Gives each sample another shape.

    Args:
        target_shape: the shape of a sample; one size may be -1 for what is left.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, ...)`` of known sizes.

    Output shape:
        ``(N, *target_shape)``.

    Raises:
        TypeError: a size is not an integer.
        ValueError: the numbers of a sample do not fill the shape.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Reshape((3, -1))(np.zeros((2, 12))).shape
        (2, 3, 4)
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(target_shape, (tuple, list)):
            target_shape = (target_shape,)
        with in_other_words(
            "Each size should be a non-negative integer, or -1 for what is left. Received: "
            f"target_shape={tuple(target_shape)!r:.80}"
        ):
            self.target_shape = tuple(
                int_arg(self.label, f"target_shape[{i}]", n, -1) for i, n in enumerate(target_shape)
            )
        if self.target_shape.count(-1) > 1 or 0 in self.target_shape:
            raise ValueError(
                f"{self.label}: There must be at most one unknown dimension (-1) in target_shape, "
                f"and no 0, got target_shape={self.target_shape}"
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, *target_shape), with the size that -1 stands for."""
        if None in input_shape[1:]:
            return (
                input_shape[0],
                *(None if n == -1 else n for n in self.target_shape),
            )
        size = math.prod(known_sizes(self.label, (1, *input_shape[1:])))
        known = math.prod(n for n in self.target_shape if n != -1)
        if size % known or (-1 not in self.target_shape and size != known):
            raise ValueError(
                f"{self.label}: The total size of the tensor must be unchanged: a sample of "
                f"{tuple(input_shape[1:])} does not fill target_shape {self.target_shape}"
            )
        return input_shape[0], *(size // known if n == -1 else n for n in self.target_shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return x in its new shape, without a copy."""
        self._shape = x.shape
        shape: Any = self.compute_output_shape(x.shape)
        y: Array = x.reshape(shape)
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return dy in the shape of x, without a copy."""
        return dy.reshape(self._shape) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """Puts the axes of each sample into another order.

    Args:
        dims: the axes of the input in their new order, from 1: ``(2, 1)`` turns a matrix.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, ...)`` with as many axes as ``dims``.

    Output shape:
        ``(N, ...)`` in the new order.

    Raises:
        TypeError: ``dims`` does not hold integers.
        ValueError: it is not an order of 1, 2, ..., or the input has another number of axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Permute((3, 1, 2))(np.zeros((2, 8, 9, 3))).shape
        (2, 3, 8, 9)
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(dims, (tuple, list)):
            raise TypeError(f"{self.label}: dims must be a tuple such as (2, 1), got {dims!r:.60}")
        with in_other_words(f"Invalid permutation argument `dims`: {dims!r:.60}"):
            self.dims = tuple(int_arg(self.label, "dims", axis) for axis in dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"{self.label}: Invalid permutation argument `dims`. The set of indices in `dims` "
                f"must be consecutive and start from 1, got {self.dims}"
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape in its new order."""
        if len(input_shape) != len(self.dims) + 1:
            raise ValueError(
                f"{self.label}: input must have {len(self.dims)} axes beside the batch, got "
                f"{tuple(input_shape)}"
            )
        return input_shape[0], *(input_shape[axis] for axis in self.dims)

    def forward(self, x: Array, training: bool) -> Array:
        """Return x with its axes in their new order."""
        turned = np.transpose(np.asarray(x), (0, *self.dims))
        y = self._buffer("y", turned.shape)
        y[...] = turned
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return dy with its axes as x has them, where it is needed."""
        if not need_dx:
            return None
        turned = np.transpose(np.asarray(dy), np.argsort((0, *self.dims)))
        dx = self._buffer("dx", turned.shape)
        dx[...] = turned
        return dx

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Repeats each row ``n`` times.

    Args:
        n: how often.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, C)``.

    Output shape:
        ``(N, n, C)``.

    Raises:
        TypeError: ``n`` is not an integer.
        ValueError: it is below 1, or the input has other axes.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.RepeatVector(3)(np.zeros((2, 4))).shape
        (2, 3, 4)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with in_other_words(
            "Expected an integer value for `n`, which should be a positive integer"
        ):
            self.n = int_arg(self.label, "n", n)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, n, C)."""
        if len(input_shape) != 2:
            raise ValueError(f"{self.label}: input must be (N, C), got {tuple(input_shape)}")
        return input_shape[0], self.n, input_shape[1]

    def forward(self, x: Array, training: bool) -> Array:
        """Return the rows, repeated."""
        y = self._buffer("y", (len(x), self.n, x.shape[1]))
        y[...] = np.asarray(x)[:, None]
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x (N, C), where it is needed."""
        if not need_dx:
            return None
        dx = self._buffer("dx", (len(dy), dy.shape[2]))
        dx[...] = np.asarray(dy).sum(axis=1)
        return dx

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "n": self.n}
