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


EPSILON = 1e-5  # of normalizations


@dataclass(frozen=True)
class Step:
    """A layer, or a mark of a residual block.

    "conv" is 'same' with a bias; "norm" a convolution without one, with half a filter of padding,
    and batch normalization; "pool" takes the maximum of 2x2 cells, "mean" that of each map's.
    A block goes from "fork" to "add", which adds what there was at the fork, or what "project", a
    "norm" of that, has made of it, and applies ReLU.
    """

    kind: Literal[
        "conv", "pool", "dropout", "flatten", "dense", "norm", "fork", "project", "add", "mean"
    ]
    units: int = 0
    kernel: int = 0
    rate: float = 0.0
    activation: Literal["linear", "relu", "softmax"] = "relu"
    stride: int = 1


def _conv(units: int, kernel: int) -> Step:
    return Step("conv", units, kernel)


def _block(units: int, stride: int) -> tuple[Step, ...]:
    projected = Step("project", units, 1, stride=stride, activation="linear")
    return (
        *(Step("fork"), Step("norm", units, 3, stride=stride)),
        Step("norm", units, 3, activation="linear"),
        *((projected,) if stride > 1 else ()),
        Step("add"),
    )


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
    "ResNet-20": (
        *(Step("norm", 16, 3), *_block(16, 1), *_block(16, 1), *_block(16, 1)),
        *(*_block(32, 2), *_block(32, 1), *_block(32, 1)),
        *(*_block(64, 2), *_block(64, 1), *_block(64, 1)),
        *(Step("mean"), _CLASSIFIER),
    ),
}


def is_chain(network: str) -> bool:
    """Whether each layer takes the result of the one before, and none is normalized."""
    return all(step.kind not in ("norm", "fork") for step in NETWORKS[network])


def layer_shapes(network: str) -> list[tuple[Step, tuple[int, ...], tuple[int, ...]]]:
    """Return each layer with the shapes of its input and of its kernel (empty where none)."""
    shape: tuple[int, ...] = INPUT
    forked: tuple[int, ...] = ()
    layers = []
    for step in NETWORKS[network]:
        x = forked if step.kind == "project" else shape
        kernel: tuple[int, ...] = ()
        if step.kind in ("conv", "norm", "project"):
            kernel = (step.kernel, step.kernel, x[2], step.units)
        elif step.kind == "dense":
            kernel = (x[0], step.units)
        layers.append((step, x, kernel))
        if len(kernel) == 4:
            shape = (*(-(-size // step.stride) for size in x[:2]), step.units)
        elif step.kind == "pool":
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
        elif step.kind == "flatten":
            shape = (prod(shape),)
        elif step.kind == "mean":
            shape = shape[2:]
        elif step.kind == "dense":
            shape = (step.units,)
        elif step.kind == "fork":
            forked = shape
    return layers


def initial_weights(network: str) -> list[Array]:
    """Return the weights of each layer that has some.

    They are a kernel of Glorot's uniform numbers and a bias of zeros; of a normalized one the
    kernel, factors, offsets, moving means and moving variances.
    """
    rng = np.random.default_rng(crc32(network.encode()))
    weights = []
    for step, _, kernel in layer_shapes(network):
        if kernel:
            fan = prod(kernel[:-2]) * (kernel[-2] + kernel[-1])
            limit = np.float32((6 / fan) ** 0.5)
            weights.append((2 * rng.random(kernel, np.float32) - 1) * limit)
            of_channels = (1, 0, 0, 1) if step.kind in ("norm", "project") else (0,)
            weights += [np.full(kernel[-1], value, np.float32) for value in of_channels]
    return weights


def forward_flops(network: str) -> list[int]:
    """Return the multiplications and additions of one image in each layer with a kernel."""
    flops = []
    for step, shape, kernel in layer_shapes(network):
        if kernel:
            sizes = shape[:2] if len(kernel) == 4 else ()
            pixels = prod(-(-size // step.stride) for size in sizes)
            flops.append(2 * pixels * prod(kernel))
    return flops
