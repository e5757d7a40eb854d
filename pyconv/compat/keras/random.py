"""``keras.random``: numbers drawn by numpy, as arrays.

A seed is an integer, the same numbers each time; a ``SeedGenerator``, others at each call; or None,
the library's own generator, which ``keras.utils.set_random_seed`` seeds.
"""

from typing import Any

import numpy as np

from pyconv import _random
from pyconv.compat import _call_context, _unsupported
from pyconv.compat._eager import eager
from pyconv.variable import Variable

__all__ = [
    "SeedGenerator",
    "dropout",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]


class SeedGenerator:
    """A seed that gives other numbers at each call.

    Args:
        seed: an integer for the same numbers in each run; None for others.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> seed = keras.random.SeedGenerator(1)
        >>> a, b = (keras.random.uniform((3,), seed=seed) for _ in range(2))
        >>> bool((a == b).any())
        False
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        self._initial_seed = seed
        first = _random.fresh_seed() if seed is None else seed
        # The seed, and how often it was used.
        self.state = Variable(np.array([first, 0]), trainable=False, name="seed_generator_state")

    @property
    def generator(self) -> np.random.Generator:
        """The generator of the next numbers; each is another one."""
        first, used = (int(part) for part in self.state)
        self.state[1] += 1
        return np.random.default_rng([abs(first), used])

    def next(self, ordered: bool = True) -> Any:
        """Return a seed and use it up."""
        return int(self.generator.integers(2**31))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"seed": self._initial_seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SeedGenerator":
        """Return a new one of what ``get_config`` returned."""
        return cls(**config)


def _generator(seed: Any) -> np.random.Generator:
    _call_context.check_random()
    if isinstance(seed, SeedGenerator):
        return seed.generator
    return np.random.default_rng(_random.fresh_seed() if seed is None else seed)


def uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return numbers from ``minval`` to below ``maxval``, each as likely.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.random.uniform((2, 3), seed=1).shape
        (2, 3)
    """
    if dtype is not None and "int" in str(dtype):
        return randint(shape, minval, maxval, dtype, seed)
    return eager(_generator(seed).uniform(minval, maxval, shape).astype(dtype or np.float32))


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return normal numbers.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.random.normal((2, 3), seed=1).dtype
        dtype('float32')
    """
    return eager(_generator(seed).normal(mean, stddev, shape).astype(dtype or np.float32))


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return normal numbers within two standard deviations of the mean; others are drawn again.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> bool((abs(keras.random.truncated_normal((1000,), seed=1)) <= 2).all())
        True
    """
    generator = _generator(seed)
    values = np.asarray(generator.standard_normal(shape))
    while (outside := np.abs(values) > 2).any():
        values[outside] = generator.standard_normal(int(outside.sum()))
    return eager((mean + stddev * values).astype(dtype or np.float32))


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Return integers from ``minval`` to below ``maxval``.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> set(keras.random.randint((100,), 0, 2, seed=1).tolist())
        {0, 1}
    """
    return eager(_generator(seed).integers(minval, maxval, shape).astype(dtype or "int32"))


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Return an array with a share of its elements 0, and the others as much larger.

    Args:
        inputs: the array.
        rate: the share, from 0 to below 1.
        noise_shape: sizes of what is drawn, broadcast to the array's; None for its own.
        seed: None, a number or a ``SeedGenerator``.

    Raises:
        ValueError: ``rate`` is not from 0 to below 1.

    Example:
        >>> import numpy as np, pyconv.compat.keras as keras
        >>> sorted(set(keras.random.dropout(np.ones(100), 0.5, seed=1).tolist()))
        [0.0, 2.0]
    """
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: rate must be from 0 to below 1, got {rate!r}")
    x = inputs if isinstance(inputs, np.ndarray) else eager(np.asarray(inputs, np.float32))
    given = x.shape if noise_shape is None else noise_shape
    sizes = [n if size is None else size for n, size in zip(x.shape, given, strict=True)]
    kept = _generator(seed).random(sizes) >= rate
    factors = kept.astype(x.dtype) / np.asarray(1 - rate, x.dtype)
    return x * np.broadcast_to(factors, x.shape)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """Return an array in another order along an axis.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> sorted(keras.random.shuffle([3, 1, 2], seed=1).tolist())
        [1, 2, 3]
    """
    return eager(_generator(seed).permutation(np.asarray(x), axis=axis))


__getattr__ = _unsupported.getter(__name__)
