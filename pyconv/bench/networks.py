"""The whole networks that are measured, described once for every peer."""

from dataclasses import dataclass
from math import prod
from typing import Literal
from zlib import crc32

import numpy as np

from pyconv._types import Array

INPUT = (32, 32, 3)
CLASSES = 10
LEARNING_RATE = 1e-4
# Of the step of plain descent that gradients are read off: the weights are small beside it.
LONG_STEP = 1024.0


@dataclass(frozen=True)
class Step:
    """A layer: a convolution is 'same' with ReLU, a pooling takes the maximum of 2x2 cells."""

    kind: Literal["conv", "pool", "dropout", "flatten", "dense"]
    units: int = 0
    kernel: int = 0
    rate: float = 0.0
    activation: Literal["relu", "softmax"] = "relu"


def _conv(units: int, kernel: int) -> Step:
    return Step("conv", units, kernel)


_POOL, _FLATTEN = Step("pool"), Step("flatten")
_CLASSIFIER = Step("dense", CLASSES, activation="softmax")

NETWORKS: dict[str, tuple[Step, ...]] = {
    "deck CNN": (
        *(_conv(16, 2), _POOL, _conv(32, 2), _POOL, _conv(64, 2), _POOL),
        *(Step("dropout", rate=0.3), _FLATTEN, Step("dense", 500)),
        *(Step("dropout", rate=0.4), _CLASSIFIER),
    ),
    "deck MLP": (
        *(_FLATTEN, Step("dense", 1000), Step("dropout", rate=0.2)),
        *(Step("dense", 512), Step("dropout", rate=0.2), _CLASSIFIER),
    ),
    "VGG-like": (
        *(_conv(64, 3), _conv(64, 3), _POOL, _conv(128, 3), _conv(128, 3), _POOL),
        *(_conv(256, 3), _conv(256, 3), _POOL, _FLATTEN, Step("dense", 512), _CLASSIFIER),
    ),
}


def layer_shapes(network: str) -> list[tuple[Step, tuple[int, ...], tuple[int, ...]]]:
    """Return each layer with the shapes of its input and of its kernel (empty where none)."""
    shape: tuple[int, ...] = INPUT
    layers = []
    for step in NETWORKS[network]:
        kernel: tuple[int, ...] = ()
        if step.kind == "conv":
            kernel = (step.kernel, step.kernel, shape[2], step.units)
        elif step.kind == "dense":
            kernel = (shape[0], step.units)
        layers.append((step, shape, kernel))
        if step.kind == "conv":
            shape = (*shape[:2], step.units)
        elif step.kind == "pool":
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
        elif step.kind == "flatten":
            shape = (prod(shape),)
        elif step.kind == "dense":
            shape = (step.units,)
    return layers


def initial_weights(network: str) -> list[Array]:
    """Return kernel and bias of each layer that has them: Glorot's uniform numbers, and zeros."""
    rng = np.random.default_rng(crc32(network.encode()))
    weights = []
    for _, _, kernel in layer_shapes(network):
        if kernel:
            fan = prod(kernel[:-2]) * (kernel[-2] + kernel[-1])
            limit = np.float32((6 / fan) ** 0.5)
            weights.append((2 * rng.random(kernel, np.float32) - 1) * limit)
            weights.append(np.zeros(kernel[-1], np.float32))
    return weights


def forward_flops(network: str) -> list[int]:
    """Return the multiplications and additions of one image in each layer with a kernel."""
    flops = []
    for step, shape, kernel in layer_shapes(network):
        if kernel:
            pixels = prod(shape[:2]) if step.kind == "conv" else 1
            flops.append(2 * pixels * prod(kernel))
    return flops
