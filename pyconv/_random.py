"""The library's one random generator: initial weights, shuffles and dropout seeds come from it."""

import numpy as np

_generator = np.random.default_rng()


def generator() -> np.random.Generator:
    """Return the generator that ``pyconv.utils.set_random_seed`` seeds."""
    return _generator


def seed(value: int) -> None:
    """Start the generator anew from ``value``."""
    global _generator
    _generator = np.random.default_rng(value)


def fresh_seed() -> int:
    """Draw a seed for something that keeps its own stream, such as a Dropout layer."""
    return int(_generator.integers(2**63))
