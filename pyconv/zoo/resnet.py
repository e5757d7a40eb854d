"""Residual networks."""

from typing import Any

from pyconv._args import int_arg
from pyconv.layers import Dense, GlobalAveragePooling2D, Input, Layer, Residual
from pyconv.model import Sequential
from pyconv.zoo._blocks import conv_bn


def resnet_cifar(depth: int = 20, input_shape: Any = (32, 32, 3), classes: int = 10) -> Sequential:
    """Return a residual network for small images: three stages of blocks, 16, 32 and 64 filters.

    He, Zhang, Ren and Sun, "Deep residual learning for image recognition", 2015, section 4.2. Each
    block is two 3 x 3 convolutions around which its input is added to their result. The first
    block of the second and of the third stage halves height and width; there the input is brought
    to its shape by a 1 x 1 convolution, the paper's option B. 272,474 parameters that train of
    ResNet-20, beside 1,568 moving means and variances; 466,906 of ResNet-32 and 855,770 of
    ResNet-56.

    The paper trains by SGD(0.1, momentum=0.9) with a weight decay of 1e-4, batches of 128, a tenth
    of the rate after 32,000 and again after 48,000 of 64,000 steps, and images that are padded by 4
    pixels, cropped and mirrored at random: 91.25 % of CIFAR-10's test images for ResNet-20.

    Args:
        depth: layers with weights on the way through, 6 n + 2: 20, 32, 44, 56, 110.
        input_shape: (H, W, C).
        classes: number of outputs.

    Raises:
        TypeError, ValueError: an argument is wrong.

    Example:
        >>> import pyconv.zoo
        >>> model = pyconv.zoo.resnet_cifar(20)
        >>> sum(weight.size for weight in model.trainable_weights)
        272474
    """
    blocks, rest = divmod(int_arg("resnet_cifar", "depth", depth, 8) - 2, 6)
    if rest:
        raise ValueError(
            f"resnet_cifar: depth must be 6 n + 2, such as 20, 32, 44 or 56, got {depth}; nearest "
            f"are {6 * blocks + 2} and {6 * blocks + 8}"
        )
    layers: list[Layer] = [Input(input_shape), *conv_bn(16, 3)]
    for filters in (16, 32, 64):
        for block in range(blocks):
            strides = 2 if filters > 16 and block == 0 else 1
            path = [*conv_bn(filters, 3, strides), *conv_bn(filters, 3, relu=False)]
            shortcut = conv_bn(filters, 1, strides, relu=False) if strides > 1 else None
            layers.append(Residual(path, shortcut, "relu"))
    head = Dense(classes, activation="softmax", kernel_initializer="he_normal")
    return Sequential([*layers, GlobalAveragePooling2D(), head])
