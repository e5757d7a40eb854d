"""``keras.random``: numbers drawn by numpy, as arrays.

A seed is an integer, the same numbers each time; a ``SeedGenerator``, others at each call; or None,
the library's own generator, which ``keras.utils.set_random_seed`` seeds.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from pyconv import _random, _targets
from pyconv._args import float_arg, int_arg, shown
from pyconv._extensions import extend
from pyconv.compat import _call_context, _unsupported
from pyconv.compat._eager import eager
from pyconv.variable import Variable

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
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
        name: has no effect.
        **kwargs: ``backend``, which has no effect.

    Raises:
        ValueError: ``seed`` is no integer, or an argument is not known.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> seed = keras.random.SeedGenerator(1)
        >>> a, b = (keras.random.uniform((3,), seed=seed) for _ in range(2))
        >>> bool((a == b).any())
        False
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        kwargs.pop("backend", None)
        if kwargs:
            raise ValueError(f"SeedGenerator: Unrecognized keyword arguments: {kwargs}")
        whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
        if seed is not None and not whole:
            raise ValueError(
                f"SeedGenerator: Argument `seed` must be an integer. Received: {seed!r:.60} of "
                f"type {type(seed)}"
            )
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


def _described(config: Any) -> Any:
    """Return the seed of a configuration."""
    from pyconv.serialization import make

    return make(config, None, "pyconv.compat.keras")


extend("seed_generator", _described)


def _generator(seed: Any) -> np.random.Generator:
    _call_context.check_random()
    if isinstance(seed, SeedGenerator):
        return seed.generator
    try:
        return np.random.default_rng(_random.fresh_seed() if seed is None else seed)
    except (TypeError, ValueError):
        raise ValueError(
            "keras.random: seed must be None, a number, 0 or more, or a SeedGenerator, got "
            f"{shown(seed)}"
        ) from None


def _kind(owner: str, dtype: Any) -> np.dtype[Any]:
    try:
        return np.dtype(np.float32 if dtype is None else dtype)
    except (TypeError, ValueError):
        raise TypeError(f"{owner}: dtype must be a type of numbers, got {shown(dtype)}") from None


def _drawn(
    owner: str,
    shape: Any,
    dtype: Any,
    seed: Any,
    draw: Callable[..., Any],
    **numbers: Any,
) -> Any:
    """Return what ``draw(generator, *numbers, shape)`` gives, as an array of the type."""
    kind = _kind(owner, dtype)
    try:
        given = [shape] if np.ndim(shape) == 0 else shape
        sizes = tuple(operator.index(n) for n in given)
    except (TypeError, ValueError):
        raise TypeError(f"{owner}: shape must hold integers, got {shown(shape)}") from None
    for name, value in numbers.items():
        _targets.numeric(owner, name, value)
    generator = _generator(seed)
    try:
        values = draw(generator, *numbers.values(), sizes)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{owner}: shape {sizes}: {error}") from None
    return eager((values if hasattr(values, "astype") else np.asarray(values)).astype(kind))


def uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return numbers from ``minval`` to below ``maxval``, each as likely.

    Raises:
        ValueError: ``dtype`` is none of floats.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.random.uniform((2, 3), seed=1).shape
        (2, 3)
    """
    kind = _kind("uniform", dtype)
    if kind.kind != "f":
        raise ValueError(
            f"`keras.random.uniform` requires a floating point `dtype`. Received: dtype={kind.name}"
        )
    return _drawn(
        "uniform", shape, kind, seed, np.random.Generator.uniform, minval=minval, maxval=maxval
    )


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return normal numbers.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.random.normal((2, 3), seed=1).dtype
        dtype('float32')
    """
    return _drawn(
        "normal", shape, dtype, seed, np.random.Generator.normal, mean=mean, stddev=stddev
    )


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Return normal numbers within two standard deviations of the mean; others are drawn again.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> bool((abs(keras.random.truncated_normal((1000,), seed=1)) <= 2).all())
        True
    """

    def draw(generator: np.random.Generator, mean: Any, stddev: Any, sizes: Any) -> Any:
        values = np.asarray(generator.standard_normal(sizes))
        while (outside := np.abs(values) > 2).any():
            values[outside] = generator.standard_normal(int(outside.sum()))
        return mean + stddev * values

    return _drawn("truncated_normal", shape, dtype, seed, draw, mean=mean, stddev=stddev)


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Return integers from ``minval`` to below ``maxval``.

    Raises:
        ValueError: ``dtype`` is none of integers.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> set(keras.random.randint((100,), 0, 2, seed=1).tolist())
        {0, 1}
    """
    kind = _kind("randint", dtype or "int32")
    if kind.kind not in "iu":
        raise ValueError(
            f"`keras.random.randint` requires an integer `dtype`. Received: dtype={kind.name}"
        )
    return _drawn(
        "randint", shape, kind, seed, np.random.Generator.integers, minval=minval, maxval=maxval
    )


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Return class numbers (N, num_samples), each as likely as the softmax of its row says.

    Args:
        logits: scores (N, classes).
        num_samples: how many are drawn of each row.
        dtype: type of the numbers.
        seed: None, a number or a ``SeedGenerator``.

    Raises:
        ValueError: ``logits`` has not two axes.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.random.categorical([[0.0, 100.0], [100.0, 0.0]], 3, seed=1).tolist()
        [[1, 1, 1], [0, 0, 0]]
    """
    owner = "categorical"
    scores = np.asarray(_targets.numeric(owner, "logits", logits), np.float64)
    count = int_arg(owner, "num_samples", num_samples, 0)
    if scores.ndim != 2:
        raise ValueError(f"categorical: logits must be (N, classes), got {scores.shape}")
    # The largest of scores with Gumbel's noise.
    noise = _generator(seed).gumbel(size=(len(scores), count, scores.shape[1]))
    return eager(
        np.argmax(scores[:, np.newaxis] + noise, axis=-1).astype(_kind(owner, dtype or "int32"))
    )


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Return numbers of the gamma distribution of shape ``alpha`` and scale 1.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> bool((keras.random.gamma((100,), 2.0, seed=1) > 0).all())
        True
    """
    return _drawn(
        "gamma", shape, dtype, seed, lambda g, a, sizes: g.gamma(a, size=sizes), alpha=alpha
    )


def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> Any:
    """Return how many of ``counts`` trials succeed, each with its probability.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.random.binomial((2,), [5, 7], [0.0, 1.0], seed=1).tolist()
        [0.0, 7.0]
    """
    trials = _targets.numeric("binomial", "counts", counts).astype(np.int64)
    return _drawn(
        "binomial",
        shape,
        dtype,
        seed,
        np.random.Generator.binomial,
        counts=trials,
        probabilities=probabilities,
    )


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Return numbers of the beta distribution, 0 to 1.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> round(float(keras.random.beta((10000,), 3.0, 1.0, seed=1).mean()), 2)
        0.75
    """
    return _drawn("beta", shape, dtype, seed, np.random.Generator.beta, alpha=alpha, beta=beta)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Return an array with a share of its elements 0, and the others as much larger.

    Args:
        inputs: the array.
        rate: the share, from 0 to below 1.
        noise_shape: sizes of what is drawn, broadcast to the array's; None for its own.
        seed: None, a number or a ``SeedGenerator``.

    Raises:
        ValueError: ``rate`` is not from 0 to 1.

    Example:
        >>> import numpy as np, pyconv.compat.keras as keras
        >>> sorted(set(keras.random.dropout(np.ones(100), 0.5, seed=1).tolist()))
        [0.0, 2.0]
    """
    rate = float_arg("dropout", "rate", rate, 0.0, 1.0)
    x = inputs
    if not isinstance(inputs, np.ndarray):
        x = eager(_targets.numeric("dropout", "inputs", inputs).astype(np.float32))
    given = x.shape if noise_shape is None else noise_shape
    if not isinstance(given, (tuple, list)) or len(given) != x.ndim:
        raise ValueError(
            f"dropout: noise_shape must have a size (or None) for each of {x.ndim} axes, got "
            f"{shown(noise_shape)}"
        )
    sizes = [n if size is None else size for n, size in zip(x.shape, given, strict=True)]
    kept = _generator(seed).random(sizes) >= rate
    factors = kept.astype(x.dtype) / np.asarray(1 - rate or 1, x.dtype)
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
