"""The mean of each channel of an image."""

from typing import Any, cast

from pyconv import backend
from pyconv._args import bool_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import image_shape
from pyconv.layers.layer import Layer


class GlobalAveragePooling2D(Layer):
    """The mean of each channel over the whole image.

    Args:
        data_format: None or ``"channels_last"``, or ``"channels_first"``, for which axes are turned
            at the border of the layer.
        keepdims: True keeps the two axes of the image, with size 1.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        ``(N, C)``, or ``(N, 1, 1, C)`` with ``keepdims``.

    Raises:
        ValueError: an argument has a wrong value, or the input is not ``(N, H, W, C)``.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.arange(4).reshape(1, 2, 2, 1)
        >>> pyconv.layers.GlobalAveragePooling2D()(x)
        array([[1.5]], dtype=float32)
    """

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)
        self.keepdims = bool_arg(self.label, "keepdims", keepdims)
        self._shape = (0, 0, 0, 0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, C) or (N, 1, 1, C)."""
        n, h, w, c = image_shape(self.label, input_shape)
        if 0 in (h, w, c):
            raise ValueError(f"{self.label}: the image has no pixels, got {input_shape}")
        return (n, 1, 1, c) if self.keepdims else (n, c)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the means."""
        self._shape = cast(tuple[int, int, int, int], x.shape)
        n, c = len(x), x.shape[3]
        y = backend.active.global_avgpool2d_forward(x, self._buffer("y", (n, c)))
        return y.reshape(n, 1, 1, c) if self.keepdims else y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x (N, H, W, C) where it is needed."""
        if not need_dx:
            return None
        shape = self._shape
        return backend.active.global_avgpool2d_backward(
            dy.reshape(shape[0], shape[3]), shape, self._buffer("dx", shape)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "keepdims": self.keepdims}
