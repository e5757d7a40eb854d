"""Average pooling and its gradient."""

from typing import Any

from pyconv import backend
from pyconv._args import pair_arg
from pyconv._types import Array
from pyconv.ops._checks import float32, image, image_shape, windows


def avg_pool2d(x: Array, pool_size: Any, strides: Any = None, padding: Any = "valid") -> Array:
    """Return the mean of each window.

    Cells of the padding are not counted.

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
        >>> pyconv.ops.avg_pool2d(x, 2).item()
        1.5
    """
    owner = "avg_pool2d"
    x = image(owner, "x", x)
    pool = pair_arg(owner, "pool_size", pool_size)
    steps, pads, _ = windows(
        owner, x.shape[1:3], pool, pool if strides is None else strides, padding
    )
    return backend.functional.avgpool2d_forward(x, pool, steps, pads)


def avg_pool2d_backward(
    x: Any, dy: Array, pool_size: Any, strides: Any = None, padding: Any = "valid"
) -> Array:
    """Return the gradient of the images (N, H, W, C).

    Args:
        x: the images, as for ``avg_pool2d``, or their shape.
        dy: gradient of the result (N, OH, OW, C).
        pool_size, strides, padding: as for ``avg_pool2d``.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Raises:
        TypeError: an array is not float32, or an argument has the wrong type.
        ValueError: shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> x = np.arange(4, dtype="float32").reshape(1, 2, 2, 1)
        >>> dy = np.full((1, 1, 1, 1), 4, "float32")
        >>> pyconv.ops.avg_pool2d_backward(x, dy, 2)[0, :, :, 0]
        array([[1., 1.],
               [1., 1.]], dtype=float32)
    """
    owner = "avg_pool2d_backward"
    if isinstance(x, (tuple, list)):
        shape = image_shape(owner, "x", x)
    else:
        n, h, w, c = image(owner, "x", x).shape
        shape = (n, h, w, c)
    dy = float32(owner, "dy", dy, 4)
    pool = pair_arg(owner, "pool_size", pool_size)
    steps, pads, _ = windows(owner, shape[1:3], pool, pool if strides is None else strides, padding)
    return backend.functional.avgpool2d_backward(dy, shape, pool, steps, pads)
