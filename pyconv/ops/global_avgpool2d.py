"""Global average pooling and its gradient."""

from pyconv import backend
from pyconv._types import Array
from pyconv.ops._checks import float32, image, image_shape


def global_avg_pool2d(x: Array) -> Array:
    """Return the mean over the pixels of each image, (N, C).

    Args:
        x: images (N, H, W, C).

    Source: Lin, Chen and Yan, "Network in network", 2014.

    Raises:
        TypeError: x is not a float32 array.
        ValueError: it has not 4 dimensions, or no pixel.

    Example:
        >>> import numpy as np, pyconv
        >>> pyconv.ops.global_avg_pool2d(np.ones((2, 4, 4, 3), "float32")).shape
        (2, 3)
    """
    return backend.functional.global_avgpool2d_forward(image("global_avg_pool2d", "x", x))


def global_avg_pool2d_backward(dy: Array, input_shape: tuple[int, int, int, int]) -> Array:
    """Return the gradient of the images (N, H, W, C).

    Args:
        dy: gradient of the result (N, C).
        input_shape: (N, H, W, C).

    Source: Lin, Chen and Yan, "Network in network", 2014.

    Raises:
        TypeError: dy is not a float32 array.
        ValueError: shapes do not fit.

    Example:
        >>> import numpy as np, pyconv
        >>> dy = np.ones((1, 1), "float32")
        >>> pyconv.ops.global_avg_pool2d_backward(dy, (1, 2, 2, 1)).sum().item()
        1.0
    """
    owner = "global_avg_pool2d_backward"
    shape = image_shape(owner, "input_shape", input_shape)
    return backend.functional.global_avgpool2d_backward(float32(owner, "dy", dy, 2), shape)
