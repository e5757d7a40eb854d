"""Initializers that draw from a fixed distribution, and the draws themselves."""

from typing import Any

import numpy as np

from pyconv import _random
from pyconv._args import int_arg
from pyconv._extensions import extension
from pyconv._types import Array
from pyconv.initializers.base import Initializer, number, shape_of


class RandomInitializer(Initializer):
    """An initializer that draws: with a seed the same values at each call.

    A seed may be one of Keras's ``SeedGenerator``, which gives another at each call.
    """

    def __init__(self, seed: Any = None) -> None:
        name = type(self).__name__
        if isinstance(seed, dict):
            make = extension("seed_generator")
            if make is None:
                raise ValueError(
                    f"{name}: seed is a SeedGenerator's configuration; import pyconv.compat.keras, "
                    "which has such seeds"
                )
            seed = make(seed)
        self.seed: Any = seed
        if seed is not None and not self._gives:
            self.seed = int_arg(name, "seed", seed, 0, 2**64 - 1)

    def generator(self) -> np.random.Generator:
        """Return the generator that a call draws from."""
        if self.seed is None:
            return _random.generator()
        return np.random.default_rng(self.seed.next() if self._gives else self.seed)

    @property
    def _gives(self) -> bool:
        return hasattr(self.seed, "next") and not isinstance(self.seed, type)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._described_seed()}

    def _described_seed(self) -> Any:
        from pyconv.serialization import serialize_keras_object

        return serialize_keras_object(self.seed)


class RandomUniform(RandomInitializer):
    """Uniform from ``minval`` to ``maxval``.

    Args:
        minval: the least value.
        maxval: the largest, which is not drawn itself.
        seed: an integer from 0 for the same values at each call, or None.

    Raises:
        TypeError, ValueError: an argument is not a number of this kind.

    Example:
        >>> from pyconv import initializers
        >>> initializers.RandomUniform(-1, 1, seed=0)((3, 4)).shape
        (3, 4)
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.minval = number(self, "minval", minval)
        self.maxval = number(self, "maxval", maxval)

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        shape = shape_of(self, shape, dtype)
        return uniform(self.generator(), shape, self.minval, self.maxval)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


class RandomNormal(RandomInitializer):
    """Normal with the given mean and standard deviation.

    Args:
        mean: the mean.
        stddev: the standard deviation, 0 or above.
        seed: an integer from 0 for the same values at each call, or None.

    Raises:
        TypeError, ValueError: an argument is not a number of this kind.

    Example:
        >>> from pyconv import initializers
        >>> initializers.RandomNormal(seed=0)((3, 4)).shape
        (3, 4)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean = number(self, "mean", mean)
        self.stddev = number(self, "stddev", stddev, minimum=0)

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        values = normal(self.generator(), shape_of(self, shape, dtype))
        return affine(values, self.stddev, self.mean)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomNormal):
    """Normal; values beyond two standard deviations from the mean are drawn again.

    Args:
        mean: the mean.
        stddev: the standard deviation before the cut, 0 or above.
        seed: an integer from 0 for the same values at each call, or None.

    Raises:
        TypeError, ValueError: an argument is not a number of this kind.

    Example:
        >>> from pyconv import initializers
        >>> bool(abs(initializers.TruncatedNormal(seed=0)((100,))).max() <= 0.1)
        True
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        values = truncated_normal(self.generator(), shape_of(self, shape, dtype))
        return affine(values, self.stddev, self.mean)


def affine(values: Array, scale: float, shift: float = 0.0) -> Array:
    """Return scale * values + shift, in place."""
    values *= np.float32(scale)
    values += np.float32(shift)
    return values


def uniform(
    generator: np.random.Generator, shape: tuple[int, ...], low: float, high: float
) -> Array:
    """Return values from ``low`` to ``high``."""
    values = np.empty(shape, np.float32)
    generator.random(out=values, dtype=np.float32)
    return affine(values, high - low, low)


def normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return standard normal values."""
    values = np.empty(shape, np.float32)
    generator.standard_normal(out=values, dtype=np.float32)
    return values


def truncated_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return standard normal values, those outside [-2, 2] drawn again."""
    values = normal(generator, shape)
    flat = values.reshape(-1)
    outside = np.flatnonzero(np.abs(flat) > 2)
    while outside.size:
        flat[outside] = normal(generator, outside.shape)
        outside = outside[np.abs(flat[outside]) > 2]
    return values
