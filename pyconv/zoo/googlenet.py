"""GoogLeNet."""

from typing import Any

from pyconv.layers import (
    Branches,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    Input,
    Layer,
    MaxPooling2D,
)
from pyconv.model import Sequential
from pyconv.zoo._blocks import conv_bn

# Table 1 of the paper: filters of 1x1, of 3x3 and what reduces before it, of 5x5 and what reduces
# before it, and of the projection after pooling; stages of blocks, between which maps are halved.
_STAGES = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)


def googlenet_cifar(input_shape: Any = (32, 32, 3), classes: int = 10) -> Sequential:
    """Return GoogLeNet for small images: nine blocks of four branches each, 22 layers deep.

    Szegedy et al., "Going deeper with convolutions", 2014, table 1, with the batch normalization
    after each convolution of Ioffe and Szegedy, 2015. For 32 x 32 pixels its beginning is one 3 x 3
    convolution of 192 filters, and there are no classifiers on the way. 5,871,914 parameters train.

    Args:
        input_shape: (H, W, C).
        classes: number of outputs.

    Raises:
        TypeError, ValueError: an argument is wrong.

    Example:
        >>> import pyconv.zoo
        >>> model = pyconv.zoo.googlenet_cifar()
        >>> sum(weight.size for weight in model.trainable_weights)
        5871914
        >>> model.layers[3].output_shape
        (None, 32, 32, 256)
    """
    layers: list[Layer] = [Input(input_shape), *conv_bn(192, 3)]
    for number, stage in enumerate(_STAGES):
        if number:
            layers.append(MaxPooling2D(3, 2, padding="same"))
        layers += [inception(*filters) for filters in stage]
    layers += [GlobalAveragePooling2D(), Dropout(0.4)]
    return Sequential([*layers, Dense(classes, activation="softmax")])


def inception(one: int, before3: int, three: int, before5: int, five: int, pool: int) -> Branches:
    """Return a block: 1x1, 3x3, 5x5 and pooling side by side, with 1x1 to reduce the channels.

    Example:
        >>> from pyconv.zoo.googlenet import inception
        >>> inception(64, 96, 128, 16, 32, 32).compute_output_shape((None, 28, 28, 192))
        (None, 28, 28, 256)
    """
    return Branches(
        [
            conv_bn(one, 1),
            [*conv_bn(before3, 1), *conv_bn(three, 3)],
            [*conv_bn(before5, 1), *conv_bn(five, 5)],
            [MaxPooling2D(3, 1, padding="same"), *conv_bn(pool, 1)],
        ]
    )
