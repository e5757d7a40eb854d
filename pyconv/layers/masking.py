"""Leaving steps of sequences out."""

from typing import Any

import numpy as np

from pyconv import backend
from pyconv._types import Array, Shape
from pyconv.layers._arguments import number_arg
from pyconv.layers.layer import Layer


class Masking(Layer):
    """Marks the steps all of whose numbers are ``mask_value`` as not to be counted; gives 0 there.

    ``BatchNormalization``, ``GlobalAveragePooling1D``, ``Softmax`` and layers of one's own with
    ``call(inputs, mask)`` leave marked steps out, also behind layers that treat each step by
    itself, such as ``Dense``. So do, where the output of the model still has its mask, the loss
    and those metrics that are means of rows, such as accuracies and errors.

    Args:
        mask_value: the number that marks.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``, or any.

    Output shape:
        That of the input.

    Raises:
        TypeError: ``mask_value`` is not a number.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.Masking()
        >>> layer(np.array([[[1.0, 0.0], [0.0, 0.0]]]))[0, 0].tolist()
        [1.0, 0.0]
        >>> layer.mask.tolist()
        [[True, False]]
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = number_arg(self.label, "mask_value", mask_value)
        self.mask: Any = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        return tuple(input_shape)

    def found(self, x: Any) -> Any:
        """Return which steps of x count."""
        return np.any(np.asarray(x) != np.float32(self.mask_value), axis=-1)

    def forward(self, x: Array, training: bool) -> Array:
        """Return x, with 0 for the steps that do not count, which ``mask`` tells."""
        self.mask = self.found(x)
        result: Array = backend.on_device(
            np.where(self.mask[..., None], np.asarray(x), np.float32(0))
        )
        return result

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x where it is needed."""
        if not need_dx:
            return None
        dx: Array = backend.on_device(np.where(self.mask[..., None], np.asarray(dy), np.float32(0)))
        return dx

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "mask_value": self.mask_value}
