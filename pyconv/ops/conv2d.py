"""2-D convolution and its gradients."""

from typing import Any

from pyconv import backend
from pyconv._args import activation_arg, int_arg, pair_arg
from pyconv._types import Array
from pyconv.ops._checks import float32, image, image_shape, windows


def conv2d(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    strides: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
    activation: str | None = None,
) -> Array:
    """Convolve images with filters (cross-correlation: the filters are not flipped).

    Args:
        x: images (N, H, W, C).
        w: filters (KH, KW, C / groups, OC).
        b: bias (OC,), or None.
        strides: an integer or (height, width).
        padding: "valid", "same" (as TensorFlow: the odd cell goes to the end), an integer, or
            ((top, bottom), (left, right)).
        dilation: distance of a filter's cells, an integer or (height, width).
        groups: the channels and the filters are cut into so many groups.
        activation: None or "relu".

    Returns:
        Maps (N, OH, OW, OC), OH = floor((H + padding - (dilation * (KH - 1) + 1)) / stride) + 1.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Raises:
        TypeError: an array is not float32, or an argument has the wrong type.
        ValueError: shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.ones((1, 4, 4, 1), "float32")
        >>> w = np.ones((3, 3, 1, 1), "float32")
        >>> pyconv.ops.conv2d(x, w)[0, :, :, 0]
        array([[9., 9.],
               [9., 9.]], dtype=float32)
    """
    owner = "conv2d"
    x, w = image(owner, "x", x), _filters(owner, w)
    if b is not None:
        b = float32(owner, "b", b, 1)
    act = activation_arg(owner, activation)
    groups = int_arg(owner, "groups", groups)
    kernel = (w.shape[0], w.shape[1])
    steps, pads, spread = windows(owner, x.shape[1:3], kernel, strides, padding, dilation)
    return backend.functional.conv2d_forward(x, w, b, steps, pads, spread, groups, act)


def conv2d_backward_input(
    dy: Array,
    w: Array,
    input_shape: tuple[int, int, int, int],
    *,
    strides: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Return the gradient of the images (N, H, W, C).

    Args:
        dy: gradient of the maps (N, OH, OW, OC).
        w: filters (KH, KW, C / groups, OC).
        input_shape: (N, H, W, C).
        strides, padding, dilation, groups: as for ``conv2d``.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Raises:
        TypeError: an array is not float32, or an argument has the wrong type.
        ValueError: shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> dy, w = np.ones((1, 2, 2, 1), "float32"), np.ones((3, 3, 1, 1), "float32")
        >>> pyconv.ops.conv2d_backward_input(dy, w, (1, 4, 4, 1))[0, 0, :, 0]
        array([1., 2., 2., 1.], dtype=float32)
    """
    owner = "conv2d_backward_input"
    dy, w = float32(owner, "dy", dy, 4), _filters(owner, w)
    shape = image_shape(owner, "input_shape", input_shape)
    groups = int_arg(owner, "groups", groups)
    kernel = (w.shape[0], w.shape[1])
    steps, pads, spread = windows(owner, shape[1:3], kernel, strides, padding, dilation)
    return backend.functional.conv2d_backward_input(dy, w, shape, steps, pads, spread, groups)


def conv2d_backward_filter(
    x: Array,
    dy: Array,
    kernel_size: Any,
    *,
    strides: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Return the gradient of the filters (KH, KW, C / groups, OC).

    The gradient of the bias is the sum of dy over N, OH and OW.

    Args:
        x: images (N, H, W, C).
        dy: gradient of the maps (N, OH, OW, OC).
        kernel_size: an integer or (KH, KW).
        strides, padding, dilation, groups: as for ``conv2d``.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Raises:
        TypeError: an array is not float32, or an argument has the wrong type.
        ValueError: shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> x, dy = np.ones((1, 4, 4, 1), "float32"), np.ones((1, 2, 2, 1), "float32")
        >>> pyconv.ops.conv2d_backward_filter(x, dy, 3)[0, :, 0, 0]
        array([4., 4., 4.], dtype=float32)
    """
    owner = "conv2d_backward_filter"
    x, dy = image(owner, "x", x), float32(owner, "dy", dy, 4)
    kernel = pair_arg(owner, "kernel_size", kernel_size)
    groups = int_arg(owner, "groups", groups)
    steps, pads, spread = windows(owner, x.shape[1:3], kernel, strides, padding, dilation)
    return backend.functional.conv2d_backward_filter(x, dy, kernel, steps, pads, spread, groups)


def _filters(owner: str, w: Any) -> Array:
    filters = float32(owner, "w", w, 4)
    if 0 in filters.shape:
        raise ValueError(
            f"{owner}: w must be (KH, KW, C / groups, OC) without a 0, got {filters.shape}"
        )
    return filters
