"""The networks of the Visual Geometry Group."""

from typing import Any

from pyconv.layers import (
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    Input,
    Layer,
    MaxPooling2D,
    ReLU,
)
from pyconv.model import Sequential
from pyconv.zoo._blocks import conv_bn

# Convolutions before each pooling, by the number of layers with weights in the paper.
_CONVOLUTIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


def vgg_cifar(input_shape: Any = (32, 32, 3), classes: int = 10, depth: int = 16) -> Sequential:
    """Return a VGG network for small images: 3 x 3 convolutions, 64 to 512, and five poolings.

    Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition",
    2014, tables A to E. For 32 x 32 pixels, which end as one, as in Liu and Deng, "Very deep
    convolutional neural network based image classification using small training sample size",
    2015: batch normalization after each convolution, and one dense layer of 512 in place of two of
    4,096. 14,996,682 parameters of VGG-16, 9,472 of them moving means and variances.

    Args:
        input_shape: (H, W, C).
        classes: number of outputs.
        depth: 11, 13, 16 or 19, the layers with weights in the paper.

    Raises:
        TypeError, ValueError: an argument is wrong, or the images are too small.

    Example:
        >>> import pyconv.zoo
        >>> pyconv.zoo.vgg_cifar(depth=11).count_params()
        9498058
    """
    if not isinstance(depth, int) or depth not in _CONVOLUTIONS:
        raise ValueError(
            f"vgg_cifar: depth must be one of {list(_CONVOLUTIONS)}, got {depth!r:.60}"
        )
    layers: list[Layer] = [Input(input_shape)]
    for filters, count in zip((64, 128, 256, 512, 512), _CONVOLUTIONS[depth], strict=True):
        for _ in range(count):
            layers += conv_bn(filters, 3)
        layers.append(MaxPooling2D(2))
    layers += [Flatten(), Dropout(0.5), Dense(512, use_bias=False), BatchNormalization(), ReLU()]
    return Sequential([*layers, Dropout(0.5), Dense(classes, activation="softmax")])
