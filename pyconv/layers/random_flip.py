"""Random flips."""

from typing import Any

import numpy as np

from pyconv.layers._augmentation import Augmentation, Stage

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(Augmentation):
    """In training, flips each image with probability one half, from left to right or upside down.

    Both directions, where the mode has both, are drawn independently.

    Args:
        mode: ``"horizontal"``, ``"vertical"`` or ``"horizontal_and_vertical"``.
        seed: an integer for the same choices in each run.
        data_format: None or ``"channels_last"``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.RandomFlip("horizontal", seed=1)
        >>> x = np.arange(3, dtype="float32").reshape(1, 1, 3, 1)
        >>> sorted({tuple(layer(x, training=True).ravel().tolist()) for _ in range(20)})
        [(0.0, 1.0, 2.0), (2.0, 1.0, 0.0)]
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        if mode not in _MODES:
            raise ValueError(f"{self.label}: mode must be one of {_MODES}, got {mode!r:.60}")
        self.mode = mode

    def stage(self, n: int, h: int, w: int, c: int) -> Stage:
        """Draw which images are flipped."""
        flips = self.uniform(n, 2) <= 0.5
        cuts = np.zeros((n, 4), np.int64)
        if self.mode != "horizontal":
            cuts[:, 2] = flips[:, 0]
        if self.mode != "vertical":
            cuts[:, 3] = flips[:, 1]
        return "crop_flip", cuts, (h, w), "constant", 0.0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "mode": self.mode}
