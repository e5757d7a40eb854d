"""Softmax as a layer."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import int_arg
from pyconv._types import Array, Shape
from pyconv.activations import basic
from pyconv.layers._masks import broadcastable
from pyconv.layers.layer import Layer


class Softmax(Layer):
    """``exp(x)`` over its sum along an axis: positive numbers that sum to 1.

    Args:
        axis: the axis of the classes, not the batch (0); or several, a tuple, over which the
            numbers sum to 1 together.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any with this axis.

    Output shape:
        That of the input.

    Raises:
        TypeError: ``axis`` is not an integer.
        ValueError: ``axis`` is 0, or the input does not have it; a mask does not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Softmax()(np.array([[1.0, 1.0]]))
        array([[0.5, 0.5]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = axis if isinstance(axis, (list, tuple)) else [axis]
        axes = tuple(int_arg(self.label, "axis", one, -32, 32) for one in given)
        self.axis: Any = axes if isinstance(axis, (list, tuple)) else axes[0]
        self._kept: Any = None  # where the mask of the last forward is True
        if axes == (0,):
            raise ValueError(f"{self.label}: axis must not be 0, the axis of the batch")
        self._function = basic.Softmax(self.axis)
        self._y: Array | None = None

    @property
    def ends_in_softmax(self) -> bool:
        """Whether the axis is the last."""
        if self.activity_regularizer is not None:
            return False
        if self.mask_source is not None:
            return False
        return self.axis == -1 or (self.knows_shape and self.axis == len(self.input_shape) - 1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        rank = len(input_shape)
        for axis in self.axis if isinstance(self.axis, tuple) else (self.axis,):
            if not -rank < axis < rank and not (rank == -axis and isinstance(self.axis, tuple)):
                raise ValueError(
                    f"{self.label}: input must have axis {axis} beside the batch, got "
                    f"{tuple(input_shape)}"
                )
            if input_shape[axis] == 0:
                raise ValueError(f"{self.label}: axis {axis} has no classes, got {input_shape}")
        return tuple(input_shape)

    def forward(self, x: Array, training: bool, logits: bool = False) -> Array:
        """Return the softmax of x; with ``logits`` x itself."""
        if logits:
            return x
        mask = self._taken_mask()
        self._kept = None if mask is None else broadcastable(self, mask, x)
        if self._kept is not None:
            low = np.where(self._kept, np.asarray(x), np.float32(-1e9))
            y = self._function.forward(backend.float32(low), self._buffer("y", x.shape))
            y[...] = np.where(self._kept, np.asarray(y), np.float32(0))
            self._y = y
            return y
        self._y = self._function.forward(x, self._buffer("y", x.shape))
        return self._y

    def backward(self, dy: Array, need_dx: bool, logits: bool = False) -> Array | None:
        """Return the gradient of x, written over dy, where it is needed."""
        if not need_dx:
            return None
        if logits:
            return dy
        assert self._y is not None
        if self._kept is not None:
            dy[...] = np.where(self._kept, np.asarray(dy), np.float32(0))
        return self._function.backward(self._y, dy, dy)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}
