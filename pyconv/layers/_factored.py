"""Gradients of large kernels, which the optimizer multiplies out as it updates them."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from pyconv._registry import kind_of
from pyconv.layers.dense import Dense

# Smaller gradients stay in a cache in any case.
_LEAST_SIZE = 1 << 16


def factorable(step: Any) -> bool:
    """Whether a step of a model is a layer whose kernel's gradient may be left as factors."""
    return kind_of(step) is Dense and step.built and step.kernel.size >= _LEAST_SIZE


@contextlib.contextmanager
def factored(layers: Sequence[Dense]) -> Iterator[None]:
    """Let the backward pass of these layers leave the gradients of their kernels as factors."""
    for layer in layers:
        layer.factored = True
    try:
        yield
    finally:
        for layer in layers:
            layer.factored = False
