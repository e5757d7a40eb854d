"""AlexNet."""

from typing import Any

from pyconv.layers import (
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    Layer,
    LocalResponseNormalization,
    MaxPooling2D,
)
from pyconv.model import Sequential


def alexnet_cifar(input_shape: Any = (32, 32, 3), classes: int = 10) -> Sequential:
    """Return AlexNet for small images: five convolutions and three dense layers.

    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
    networks", 2012: ReLU, local response normalization, pooling whose windows overlap, and dropout.
    The numbers of filters are those of Krizhevsky's version for one GPU ("One weird trick for
    parallelizing convolutional neural networks", 2014). For 32 x 32 pixels the first filters are of
    5 x 5 with strides of 1, in place of 11 x 11 and 4, and dense layers have 1,024 units in place
    of 4,096. 5,871,434 parameters.

    Args:
        input_shape: (H, W, C).
        classes: number of outputs.

    Raises:
        TypeError, ValueError: an argument is wrong, or the images are too small.

    Example:
        >>> import pyconv.zoo
        >>> pyconv.zoo.alexnet_cifar().count_params()
        5871434
    """
    layers: list[Layer] = [Input(input_shape)]
    for filters in (64, 192):
        layers.append(Conv2D(filters, 5, padding="same", activation="relu"))
        layers += [LocalResponseNormalization(), MaxPooling2D(3, 2)]
    for filters in (384, 256, 256):
        layers.append(Conv2D(filters, 3, padding="same", activation="relu"))
    layers += [MaxPooling2D(3, 2), Flatten()]
    for _ in range(2):
        layers += [Dropout(0.5), Dense(1024, activation="relu")]
    return Sequential([*layers, Dense(classes, activation="softmax")])
