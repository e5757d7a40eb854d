"""Noise in training."""

import math
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._args import ArgumentTypeError, int_arg, shown
from pyconv._types import Array, Shape
from pyconv.layers._arguments import number_arg, rate_arg
from pyconv.layers._seeded import Seeded


class NoiseLayer(Seeded):
    """A layer that changes numbers at random in training, and outside passes them on.

    Each forward draws from a generator of its own, seeded by the layer's stream and how many came
    before, so that training can be taken up again.
    """

    def __init__(self, seed: int | None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self._factor: Any = None

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> tuple[Any, Any]:
        """Return (a, b) of the noisy ``a * x + b``; ``b`` may be None."""
        raise NotImplementedError

    @property
    def silent(self) -> bool:
        """Whether there is no noise in training either."""
        return False

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        return tuple(input_shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return x, in training with its noise."""
        self._factor = None
        if not training or self.silent:
            return x
        generator = np.random.default_rng((self._stream, self._next))
        self._next += 1
        factor, offset = self.draw(generator, x.shape)
        y = self._buffer("y", x.shape)
        if factor is None:
            y[...] = x
        else:
            self._factor = backend.on_device(factor)
            np.multiply(x, self._factor, out=y)
        if offset is not None:
            np.add(y, backend.on_device(offset), out=y)
        return y

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return the gradient of x, written over dy, where it is needed."""
        if need_dx and self._factor is not None:
            np.multiply(dy, self._factor, out=dy)
        return dy if need_dx else None


class GaussianNoise(NoiseLayer):
    """In training adds normal numbers of mean 0.

    Args:
        stddev: their standard deviation, from 0 to 1.
        seed: an integer for the same numbers in each run; by default it is drawn from the
            library's generator.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.GaussianNoise(0.5, seed=1)
        >>> round(float(layer(np.zeros((1, 10000)), training=True).std()), 1)
        0.5
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.stddev = number_arg(self.label, "stddev", stddev, 0, 1)

    @property
    def silent(self) -> bool:
        """Whether the deviation is 0."""
        return self.stddev == 0

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> tuple[Any, Any]:
        """Return (None, the noise)."""
        noise = generator.standard_normal(shape, np.float32)
        noise *= np.float32(self.stddev)
        return None, noise

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "stddev": self.stddev}


class RateLayer(NoiseLayer):
    """Noise of a rate."""

    def __init__(self, rate: float, seed: int | None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.rate = rate_arg(self.label, rate)

    @property
    def silent(self) -> bool:
        """Whether the rate is 0."""
        return self.rate == 0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "rate": self.rate}


class GaussianDropout(RateLayer):
    """In training multiplies by normal numbers of mean 1; Srivastava et al., 2014.

    Args:
        rate: their variance is ``rate / (1 - rate)``, as of dropout; from 0 to below 1.
        seed: as for ``GaussianNoise``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.GaussianDropout(0.5, seed=1)
        >>> round(float(layer(np.ones((1, 10000)), training=True).std()), 1)
        1.0
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        if self.rate == 1:
            raise ValueError(f"{self.label}: rate must be below 1, got 1")

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> tuple[Any, Any]:
        """Return (the factors, None)."""
        factor = generator.standard_normal(shape, np.float32)
        factor *= np.float32(math.sqrt(self.rate / (1 - self.rate)))
        factor += np.float32(1)
        return factor, None


class AlphaDropout(RateLayer):
    """Dropout that keeps mean and variance of what ``selu`` gives; Klambauer et al., 2017.

    Args:
        rate: the share of the numbers that are dropped, from 0 to 1.
        noise_shape: the shape of the choices, 1 where one is for all: None for that of the input.
        seed: as for ``GaussianNoise``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.AlphaDropout(0.5, seed=1)
        >>> len(np.unique(layer(np.ones((1, 100)), training=True)))
        2
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = noise_shape_arg(self.label, noise_shape)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> tuple[Any, Any]:
        """Return (a or 0, b or what is put in place of a dropped number)."""
        low = -1.6732632423543772 * 1.0507009873554805
        kept = (
            generator.random(choices(self.label, shape, self.noise_shape), np.float32) >= self.rate
        )
        a = ((1 - self.rate) * (1 + self.rate * low**2)) ** -0.5 if self.rate < 1 else 0.0
        b = -a * low * self.rate
        return (
            np.where(kept, np.float32(a), np.float32(0)),
            np.where(kept, np.float32(b), np.float32(a * low + b)),
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "noise_shape": self.noise_shape}


def kept_factors(generator: np.random.Generator, rate: float, shape: tuple[int, ...]) -> Array:
    """Return 0 with the probability of the rate, else 1 / (1 - rate)."""
    kept = generator.random(shape, np.float32) >= np.float32(rate)
    factors: Array = kept * np.float32(0 if rate == 1 else 1 / (1 - rate))
    return factors


def noise_shape_arg(owner: str, value: Any) -> tuple[int | None, ...] | None:
    """Return ``value`` as a shape with None for sizes of the input."""
    if value is None:
        return None
    if not isinstance(value, (tuple, list)):
        raise ArgumentTypeError(
            f"{owner}: noise_shape must be a tuple or None, got {shown(value)}. Invalid value "
            "received for argument `noise_shape`. Expected a tuple or list of integers."
        )
    try:
        return tuple(None if n is None else int_arg(owner, "noise_shape", n) for n in value)
    except ArgumentTypeError as error:
        what = "Expected all elements to be integers or None."
        words: ValueError = error
    except ValueError as error:
        what = "Expected all dimensions to be positive integers or None."
        words = error
    raise type(words)(f"{words}. Invalid value received for argument `noise_shape`. {what}")


def choices(
    owner: str, shape: tuple[int, ...], noise_shape: tuple[int | None, ...] | None
) -> tuple[int, ...]:
    """Return the shape of the choices for an input of ``shape``."""
    if noise_shape is None:
        return shape
    if len(noise_shape) != len(shape) or any(
        n not in (None, 1, size) for n, size in zip(noise_shape, shape, strict=False)
    ):
        raise ValueError(
            f"{owner}: noise_shape {noise_shape} does not fit an input of {shape}: it has a 1, "
            "None or the input's own size for each axis"
        )
    return tuple(size if n is None else n for n, size in zip(noise_shape, shape, strict=True))
