"""What several networks are made of."""

from typing import Any

from pyconv.layers import BatchNormalization, Conv2D, Layer, ReLU


def conv_bn(filters: int, size: int, strides: int = 1, relu: bool = True) -> list[Layer]:
    """Return a convolution without bias, batch normalization and ReLU.

    Initial weights are those of He et al., "Delving deep into rectifiers", 2015; the order of the
    three is that of Ioffe and Szegedy, "Batch normalization", 2015.
    """
    kept: dict[str, Any] = {"use_bias": False, "kernel_initializer": "he_normal"}
    layers: list[Layer] = [
        Conv2D(filters, size, strides, padding="same", **kept),
        BatchNormalization(momentum=0.9, epsilon=1e-5),
    ]
    return [*layers, ReLU()] if relu else layers
