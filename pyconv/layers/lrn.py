"""Local response normalization."""

from typing import Any

from pyconv import backend
from pyconv._args import int_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import number_arg
from pyconv.layers.layer import Layer


class LocalResponseNormalization(Layer):
    """``x / (bias + alpha * s)**beta``: s is the sum of squares of channels nearby.

    Each number is divided by what its own channel and the ``depth_radius`` channels on either side
    of it, as far as there are such, have at the same place: strong responses damp their neighbours.
    The defaults are those of AlexNet: k = 2, n = 5, alpha = 1e-4, beta = 0.75 in Krizhevsky,
    Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", 2012,
    section 3.3.

    The arguments are those of ``tf.nn.local_response_normalization``, whose defaults are 5, 1, 1
    and 0.5. ``torch.nn.LocalResponseNorm(size, alpha, beta, k)`` is the same with
    ``size = 2 * depth_radius + 1``, ``k = bias`` and ``alpha`` times ``size``.

    Args:
        depth_radius: how many channels on either side are counted, at least 0.
        bias: above 0.
        alpha: at least 0.
        beta: the exponent. 0.5 and 0.75 are the fastest.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, ..., C)``

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument has a wrong value, or the input has no axis of channels.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.LocalResponseNormalization(1, bias=1, alpha=1, beta=0.5)
        >>> layer(np.array([[2.0, 2.0, 1.0, 0.0]])).round(3)
        array([[0.667, 0.632, 0.408, 0.   ]], dtype=float32)
    """

    def __init__(
        self,
        depth_radius: int = 2,
        bias: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.75,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.depth_radius = int_arg(self.label, "depth_radius", depth_radius, 0)
        self.bias = number_arg(self.label, "bias", bias, 0)
        self.alpha = number_arg(self.label, "alpha", alpha, 0)
        self.beta = number_arg(self.label, "beta", beta)
        if self.bias == 0:
            raise ValueError(f"{self.label}: bias must be above 0, as zeros would be divided by it")
        self._x: Array | None = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        if len(input_shape) < 2:
            raise ValueError(f"{self.label}: input must be (N, ..., C), got {tuple(input_shape)}")
        return tuple(input_shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the normalized batch."""
        self._x = x
        return backend.active.lrn_forward(x, *self._numbers, self._buffer("y", x.shape))

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, written over dy, where it is needed."""
        if not need_dx:
            return None
        assert self._x is not None
        return backend.active.lrn_backward(self._x, dy, *self._numbers, dy)

    @property
    def _numbers(self) -> tuple[int, float, float, float]:
        return self.depth_radius, self.bias, self.alpha, self.beta

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "depth_radius": self.depth_radius,
            "bias": self.bias,
            "alpha": self.alpha,
            "beta": self.beta,
        }
