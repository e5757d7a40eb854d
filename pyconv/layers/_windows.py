"""The windows over an image that a convolution or a pooling layer visits."""

from typing import Any

from pyconv._args import (
    Pads,
    Pair,
    padding_arg,
    resolve_padding,
    window_output_size,
)
from pyconv._types import Shape

Four = tuple[int, int, int, int]


class Windows:
    """Window size, strides, dilation and padding, and what they give for an image size."""

    def __init__(
        self, owner: str, size: Pair, strides: Pair, padding: Any, dilation: Pair = (1, 1)
    ) -> None:
        self.owner = owner
        self.size = size
        self.strides = strides
        self.padding: str | Pads = padding_arg(owner, padding)
        self.dilation = dilation
        self._image: Pair | None = None
        self._fitted: tuple[Four, int, int] = ((0, 0, 0, 0), 0, 0)

    def fit(self, h: int, w: int) -> tuple[Four, int, int]:
        """Return ((top, bottom, left, right), OH, OW) for an image of (h, w).

        Raises:
            ValueError: not one window fits into the image.
        """
        if self._image != (h, w):
            pads = resolve_padding(self.padding, (h, w), self.size, self.strides, self.dilation)
            oh, ow = window_output_size(
                self.owner, (h, w), self.size, self.strides, pads, self.dilation
            )
            self._image, self._fitted = (h, w), (pads, oh, ow)
        return self._fitted

    def output_size(self, shape: Shape) -> tuple[int | None, int | None]:
        """Return (OH, OW) for an input of (N, H, W, C), None where the image's size is."""
        h, w = shape[1], shape[2]
        # An unknown size is taken as one window: any such image has the other size's result.
        _, oh, ow = self.fit(
            self._extent(0) if h is None else h, self._extent(1) if w is None else w
        )
        return None if h is None else oh, None if w is None else ow

    @property
    def extent(self) -> Pair:
        """(height, width) from a window's first cell to its last."""
        return self._extent(0), self._extent(1)

    def _extent(self, axis: int) -> int:
        return self.dilation[axis] * (self.size[axis] - 1) + 1


class HasWindows:
    """A layer of which each number comes from one window of its input."""

    windows: Windows

    @property
    def receptive_field(self) -> Pair:
        """(height, width) of the part of the input that one number of the result comes from.

        Example:
            >>> import pyconv
            >>> pyconv.layers.Conv2D(6, 5).receptive_field
            (5, 5)
        """
        return self.windows.extent


def check_steps(owner: str, strides: tuple[int, ...], dilation: tuple[int, ...]) -> None:
    """Raise a ValueError where a convolution has both strides and dilation."""
    if max(strides) > 1 and max(dilation) > 1:
        raise ValueError(
            f"{owner}: strides and dilation_rate cannot both be above 1, got strides={strides} "
            f"and dilation_rate={dilation}. `strides > 1` not supported in conjunction with "
            f"`dilation_rate > 1`. Received: strides={strides} and dilation_rate={dilation}"
        )
