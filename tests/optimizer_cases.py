"""Optimizers, a weight and a gradient that their tests share."""

import numpy as np

from pyconv.optimizers import (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lamb,
    Lion,
    Nadam,
    RMSprop,
)

CLASSES = [SGD, RMSprop, Adam, AdamW]
NUMPY = [Adadelta, Adafactor, Adagrad, Adamax, Ftrl, Lamb, Lion, Nadam]
W = [1.0, 2.0, 3.0, 4.0]
G = [1.0, 6.0, 7.0, 2.0]


def f32(values):
    return np.array(values, np.float32)
