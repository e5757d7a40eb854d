"""An activation function as a layer."""

from typing import Any

from pyconv import activations
from pyconv._types import Array, Shape
from pyconv.layers.layer import Layer


class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: a name such as ``"relu"`` or ``"softmax"``, or a function of
            ``pyconv.activations``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        TypeError, ValueError: the activation is not known.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.layers.Activation("relu")(np.array([[-3.0, 2.0]]))
        array([[0., 2.]], dtype=float32)
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.find(self.label, activation)
        self._kept: Array | None = None

    @property
    def ends_in_softmax(self) -> bool:
        """Whether the activation is a softmax."""
        return self.activation is activations.softmax and self.activity_regularizer is None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        return tuple(input_shape)

    def forward(self, x: Array, training: bool, logits: bool = False) -> Array:
        """Return the activation of x; with ``logits`` x itself."""
        if logits:
            return x
        y = self.activation.forward(x, self._buffer("y", x.shape))
        self._kept = x if self.activation.uses_input else y
        return y

    def backward(self, dy: Array, need_dx: bool, logits: bool = False) -> Array | None:
        """Return the gradient of x, written over dy, where it is needed."""
        if not need_dx:
            return None
        if logits:
            return dy
        assert self._kept is not None
        return self.activation.backward(self._kept, dy, dy)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
