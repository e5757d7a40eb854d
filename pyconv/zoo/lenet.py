"""LeNet-5."""

from typing import Any

from pyconv.layers import AveragePooling2D, Conv2D, Dense, Flatten, Input
from pyconv.layers._arguments import shape_arg
from pyconv.model import Sequential


def lenet5(input_shape: Any = (28, 28, 1), classes: int = 10) -> Sequential:
    """Return LeNet-5: two convolutions with average pooling and three dense layers, all with tanh.

    LeCun et al., "Gradient-based learning applied to document recognition", 1998. As today's
    versions have it, with 61,706 parameters: each map of the second convolution sees all of the
    first, pooling has no weights, and softmax takes the place of the radial basis functions. Images
    of less than 32 x 32 are padded by 2 pixels at each side, which makes those of MNIST as large.

    Args:
        input_shape: (H, W, C).
        classes: number of outputs.

    Raises:
        TypeError, ValueError: an argument is wrong, or the images are too small.

    Example:
        >>> import pyconv.zoo
        >>> pyconv.zoo.lenet5().count_params()
        61706
    """
    shape = shape_arg("lenet5", "input_shape", input_shape)
    small = any(size is not None and size < 32 for size in shape[:2])
    return Sequential(
        [
            Input(shape),
            Conv2D(6, 5, padding="same" if small else "valid", activation="tanh"),
            AveragePooling2D(2),
            Conv2D(16, 5, activation="tanh"),
            AveragePooling2D(2),
            Flatten(),
            Dense(120, activation="tanh"),
            Dense(84, activation="tanh"),
            Dense(classes, activation="softmax"),
        ]
    )
