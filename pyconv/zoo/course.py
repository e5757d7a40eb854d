"""The networks of the course."""

from typing import Any

from pyconv.layers import Conv2D, Dense, Dropout, Flatten, Input, Layer, MaxPooling2D
from pyconv.model import Sequential


def deck_cnn(input_shape: Any = (32, 32, 3), classes: int = 10) -> Sequential:
    """Return the course's convolutional network: three convolutions with pooling, two dense layers.

    Args:
        input_shape: (H, W, C).
        classes: number of outputs.

    Example:
        >>> import pyconv.zoo
        >>> pyconv.zoo.deck_cnn().count_params()
        528054
    """
    layers: list[Layer] = [Input(input_shape)]
    for filters in (16, 32, 64):
        layers.append(Conv2D(filters, 2, padding="same", activation="relu"))
        layers.append(MaxPooling2D(2))
    layers += [Dropout(0.3), Flatten(), Dense(500, activation="relu"), Dropout(0.4)]
    return Sequential([*layers, Dense(classes, activation="softmax")])


def deck_mlp(input_shape: Any = (32, 32, 3), classes: int = 10) -> Sequential:
    """Return the course's multilayer perceptron: three dense layers.

    Args:
        input_shape: (H, W, C).
        classes: number of outputs.

    Example:
        >>> import pyconv.zoo
        >>> pyconv.zoo.deck_mlp().count_params()
        3590642
    """
    return Sequential(
        [
            Input(input_shape),
            Flatten(),
            Dense(1000, activation="relu"),
            Dropout(0.2),
            Dense(512, activation="relu"),
            Dropout(0.2),
            Dense(classes, activation="softmax"),
        ]
    )
