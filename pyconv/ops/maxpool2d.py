"""Max pooling and its gradient."""

from typing import Any

from pyconv import backend
from pyconv._args import pair_arg
from pyconv._types import Array
from pyconv.ops._checks import float32, image, windows


def max_pool2d(x: Array, pool_size: Any, strides: Any = None, padding: Any = "valid") -> Array:
    """Return the largest value of each window.

    NaN propagates; padding is never the largest.

    Args:
        x: images (N, H, W, C).
        pool_size: an integer or (height, width).
        strides: an integer or (height, width); None for ``pool_size``.
        padding: "valid", "same" (as TensorFlow), an integer, or ((top, bottom), (left, right)).

    Returns:
        (N, OH, OW, C).

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Raises:
        TypeError: x is not float32, or an argument has the wrong type.
        ValueError: the windows do not fit, or one lies in the padding alone.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.arange(4, dtype="float32").reshape(1, 2, 2, 1)
        >>> pyconv.ops.max_pool2d(x, 2).item()
        3.0
    """
    owner = "max_pool2d"
    x = image(owner, "x", x)
    pool = pair_arg(owner, "pool_size", pool_size)
    steps, pads, _ = windows(
        owner, x.shape[1:3], pool, pool if strides is None else strides, padding
    )
    return backend.functional.maxpool2d_forward(x, pool, steps, pads)


def max_pool2d_backward(
    x: Array, dy: Array, pool_size: Any, strides: Any = None, padding: Any = "valid"
) -> Array:
    """Return the gradient of the images (N, H, W, C).

    Args:
        x: the images, as for ``max_pool2d``.
        dy: gradient of the result (N, OH, OW, C).
        pool_size, strides, padding: as for ``max_pool2d``.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Raises:
        TypeError: an array is not float32, or an argument has the wrong type.
        ValueError: shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.arange(4, dtype="float32").reshape(1, 2, 2, 1)
        >>> dy = np.full((1, 1, 1, 1), 4, "float32")
        >>> pyconv.ops.max_pool2d_backward(x, dy, 2)[0, :, :, 0]
        array([[0., 0.],
               [0., 4.]], dtype=float32)
    """
    owner = "max_pool2d_backward"
    x, dy = image(owner, "x", x), float32(owner, "dy", dy, 4)
    pool = pair_arg(owner, "pool_size", pool_size)
    steps, pads, _ = windows(
        owner, x.shape[1:3], pool, pool if strides is None else strides, padding
    )
    return backend.functional.maxpool2d_backward(x, dy, pool, steps, pads)
