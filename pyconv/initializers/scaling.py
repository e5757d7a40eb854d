"""Initializers that keep the size of signals from layer to layer.

A weight of shape ``(in, out)`` has fan-in ``in`` and fan-out ``out``; a filter
``(KH, KW, in, out)`` has ``KH*KW*in`` and ``KH*KW*out``.
"""

import math
from typing import Any

import numpy as np

from pyconv._args import ArgumentTypeError, int_arg, shown
from pyconv._types import Array
from pyconv.initializers.base import number, one_of, shape_of
from pyconv.initializers.distributions import (
    RandomInitializer,
    affine,
    normal,
    truncated_normal,
    uniform,
)

# Standard deviation of a standard normal cut off at two standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978


class VarianceScaling(RandomInitializer):
    """Zero mean and variance ``scale / n``, so that signals keep their size through layers.

    Args:
        scale: a positive number.
        mode: what n is: ``"fan_in"``, ``"fan_out"``, or their mean, ``"fan_avg"``.
        distribution: ``"truncated_normal"`` (its standard deviation after the cut is
            ``sqrt(scale / n)``), ``"untruncated_normal"``, or ``"uniform"`` in
            ``[-sqrt(3 * scale / n), sqrt(3 * scale / n)]``.
        seed: an integer, or None.
        input_axes: the axes of the weight that count as its inputs, a list; by default the last
            but one, and those before it as the places of a filter.
        output_axes: the axes that count as its outputs, a list; by default the last one, with
            those places.

    Raises:
        ValueError: an argument is not one of the above.

    Example:
        >>> from pyconv import initializers
        >>> w = initializers.VarianceScaling(2.0, "fan_in", "uniform", seed=0)((600, 10))
        >>> bool(abs(w).max() <= 0.1)
        True
    """

    _MODES = ("fan_in", "fan_out", "fan_avg")
    _DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        super().__init__(seed)
        self.input_axes = _axes(self, "input_axes", input_axes)
        self.output_axes = _axes(self, "output_axes", output_axes)
        self.scale = number(self, "scale", scale)
        if self.scale <= 0:
            raise ValueError(
                f"{type(self).__name__}: scale must be positive, got {scale!r}. Argument `scale` "
                "must be positive float."
            )
        self.mode = one_of(self, "mode", mode, self._MODES)
        # Keras's older name of the truncated distribution.
        alias = {"normal": "truncated_normal"}
        known = alias.get(distribution, distribution) if isinstance(distribution, str) else ""
        if known not in self._DISTRIBUTIONS:
            one_of(self, "distribution", distribution, self._DISTRIBUTIONS)
        self.distribution = known

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        shape = shape_of(self, shape, dtype)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        generator = self.generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return uniform(generator, shape, -limit, limit)
        stddev = math.sqrt(variance)
        if self.distribution == "untruncated_normal":
            return affine(normal(generator, shape), stddev)
        return affine(truncated_normal(generator, shape), stddev / _TRUNCATED_STDDEV)

    def get_config(self) -> dict[str, Any]:
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            **super().get_config(),
            # Older versions of Keras do not know them.
            **({} if self.input_axes is None else {"input_axes": self.input_axes}),
            **({} if self.output_axes is None else {"output_axes": self.output_axes}),
        }


class _FixedScaling(VarianceScaling):
    """A named member of the family, whose only argument is the seed."""

    _fixed: tuple[float, str, str]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self._fixed, seed=seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._described_seed()}


class GlorotUniform(_FixedScaling):
    """Uniform in ±sqrt(6 / (fan_in + fan_out)); Glorot and Bengio, 2010. The layers' default.

    Args:
        seed: an integer from 0 for the same values at each call, or None.

    Raises:
        TypeError, ValueError: ``seed`` is no such integer.

    Example:
        >>> from pyconv import initializers
        >>> w = initializers.GlorotUniform(seed=0)((1024, 500))
        >>> bool(abs(w).max() <= (6 / 1524) ** 0.5)
        True
    """

    _fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_FixedScaling):
    """Truncated normal of standard deviation sqrt(2 / (fan_in + fan_out)); Glorot, 2010.

    Args:
        seed: an integer from 0 for the same values at each call, or None.

    Raises:
        TypeError, ValueError: ``seed`` is no such integer.

    Example:
        >>> from pyconv import initializers
        >>> initializers.GlorotNormal(seed=0)((3, 3, 16, 32)).shape
        (3, 3, 16, 32)
    """

    _fixed = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_FixedScaling):
    """Uniform in ±sqrt(6 / fan_in); He et al., 2015.

    Args:
        seed: an integer from 0 for the same values at each call, or None.

    Raises:
        TypeError, ValueError: ``seed`` is no such integer.

    Example:
        >>> from pyconv import initializers
        >>> initializers.HeUniform(seed=0)((3, 3, 16, 32)).shape
        (3, 3, 16, 32)
    """

    _fixed = (2.0, "fan_in", "uniform")


class HeNormal(_FixedScaling):
    """Truncated normal of standard deviation sqrt(2 / fan_in); He et al., 2015.

    Args:
        seed: an integer from 0 for the same values at each call, or None.

    Raises:
        TypeError, ValueError: ``seed`` is no such integer.

    Example:
        >>> from pyconv import initializers
        >>> initializers.HeNormal(seed=0)((3, 3, 16, 32)).shape
        (3, 3, 16, 32)
    """

    _fixed = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_FixedScaling):
    """Uniform in ±sqrt(3 / fan_in); LeCun et al., 1998.

    Args:
        seed: an integer from 0 for the same values at each call, or None.

    Raises:
        TypeError, ValueError: ``seed`` is no such integer.

    Example:
        >>> from pyconv import initializers
        >>> initializers.LecunUniform(seed=0)((3, 3, 16, 32)).shape
        (3, 3, 16, 32)
    """

    _fixed = (1.0, "fan_in", "uniform")


class LecunNormal(_FixedScaling):
    """Truncated normal of standard deviation sqrt(1 / fan_in); LeCun et al., 1998.

    Args:
        seed: an integer from 0 for the same values at each call, or None.

    Raises:
        TypeError, ValueError: ``seed`` is no such integer.

    Example:
        >>> from pyconv import initializers
        >>> initializers.LecunNormal(seed=0)((3, 3, 16, 32)).shape
        (3, 3, 16, 32)
    """

    _fixed = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """``gain`` times a matrix of orthonormal rows or columns; Saxe et al., 2014.

    A shape of more than two axes is the matrix ``(product of all but the last, last)``.

    Args:
        gain: the factor.
        seed: an integer from 0 for the same values at each call, or None.

    Raises:
        TypeError, ValueError: an argument is not a number of this kind; or, when it is called, the
            shape has fewer than two axes.

    Example:
        >>> import numpy as np
        >>> from pyconv import initializers
        >>> w = initializers.Orthogonal(seed=0)((4, 3))
        >>> bool(np.allclose(w.T @ w, np.eye(3), atol=1e-6))
        True
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = number(self, "gain", gain)

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        shape = shape_of(self, shape, dtype)
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: shape must have at least two axes, got {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        square = self.generator().standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(square)
        # The signs make the distribution uniform over orthogonal matrices.
        q *= np.sign(np.diag(r))
        q = q if rows >= columns else q.T
        return np.ascontiguousarray(self.gain * q.reshape(shape), np.float32)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, **super().get_config()}


def _axes(initializer: VarianceScaling, name: str, value: Any) -> list[int] | None:
    """Return ``value``, None or a list of axes, as a list."""
    owner = type(initializer).__name__
    if value is not None and not isinstance(value, (list, tuple)):
        raise ArgumentTypeError(f"{owner}: {name} must be None or a list, got {shown(value)}")
    return None if value is None else [int_arg(owner, name, axis, -32, 32) for axis in value]


def compute_fans(
    shape: tuple[int, ...],
    input_axes: list[int] | None = None,
    output_axes: list[int] | None = None,
) -> tuple[int, int]:
    """Return (fan-in, fan-out): how many inputs feed a unit, and how many units an input feeds."""
    if input_axes is not None and output_axes is not None:
        if not all(-len(shape) <= axis < len(shape) for axis in (*input_axes, *output_axes)):
            raise ValueError(
                f"VarianceScaling: input_axes and output_axes must be axes of the weight, {shape}, "
                f"got {input_axes} and {output_axes}"
            )
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) < 1:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    receptive_field = math.prod(shape[:-2])
    return receptive_field * shape[-2], receptive_field * shape[-1]
