"""Dropout of whole channels."""

from typing import Any, ClassVar

import numpy as np

from pyconv._types import Shape
from pyconv.layers._arguments import spatial_shape
from pyconv.layers.noise import RateLayer, kept_factors


class _SpatialDropout(RateLayer):
    """A layer that drops the same channels everywhere in a sample."""

    rank: ClassVar[int]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        return tuple(spatial_shape(self.label, input_shape, self.rank))

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> tuple[Any, Any]:
        """Return (0 or 1 / (1 - rate) for each channel, None)."""
        each = (shape[0], *(1,) * self.rank, shape[-1])
        return kept_factors(generator, self.rate, each), None


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of lines; Tompson et al., 2014.

    Args:
        rate: the share of the channels that are dropped, from 0 to 1.
        seed: as for ``GaussianNoise``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, L, C)``.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or the input has not three axes.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.SpatialDropout1D(0.5, seed=1)
        >>> y = layer(np.ones((4, 3, 8)), training=True)
        >>> bool((y == y[:, :1]).all())
        True
    """

    rank = 1

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of an image; Tompson et al., 2014.

    Args:
        rate: the share of the channels that are dropped, from 0 to 1.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        seed: as for ``GaussianNoise``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or the input has not four axes.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.SpatialDropout2D(0.5, seed=1)
        >>> y = layer(np.ones((4, 3, 3, 8)), training=True)
        >>> bool((y == y[:, :1, :1]).all())
        True
    """

    rank = 2

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        self._set_data_format(data_format)


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of volumes; Tompson et al., 2014.

    Args:
        rate: the share of the channels that are dropped, from 0 to 1.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        seed: as for ``GaussianNoise``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, D, H, W, C)``, or ``(N, C, D, H, W)`` where channels are first.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or the input has not five axes.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.SpatialDropout3D(0.5, seed=1)
        >>> y = layer(np.ones((4, 2, 3, 3, 8)), training=True)
        >>> bool((y == y[:, :1, :1, :1]).all())
        True
    """

    rank = 3

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        self._set_data_format(data_format)
