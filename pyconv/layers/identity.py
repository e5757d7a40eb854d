"""Layers that pass their input on."""

from typing import Any

from pyconv import regularizers
from pyconv._types import Array, Shape
from pyconv.layers.layer import Layer


class Identity(Layer):
    """The input, unchanged.

    Args:
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Identity()(np.array([[1.0, 2.0]]))
        array([[1., 2.]], dtype=float32)
    """

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        return tuple(input_shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return x."""
        return x

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return dy, where it is needed."""
        return dy if need_dx else None


class ActivityRegularization(Identity):
    """The input, unchanged, with a penalty on it that is added to the loss.

    Args:
        l1: factor of the sum of magnitudes.
        l2: factor of the sum of squares. Both are divided by the size of the batch.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        TypeError: a factor is not a number.
        ValueError: it is negative.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.ActivityRegularization(l2=0.5)
        >>> y = layer(np.array([[1.0, 3.0], [0.0, 0.0]]))
        >>> layer.losses
        [2.5]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        regularizer = regularizers.L1L2(l1, l2)
        super().__init__(activity_regularizer=regularizer, **kwargs)
        self.l1, self.l2 = regularizer.l1, regularizer.l2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        del config["activity_regularizer"]
        return {**config, "l1": self.l1, "l2": self.l2}
