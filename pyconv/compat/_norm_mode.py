"""The ``mode`` of Keras 1's ``BatchNormalization``."""

from typing import Any

from pyconv._types import Array
from pyconv.layers.batchnorm import BatchNormalization

_AS_TODAY, _OF_EACH_BATCH = 0, 2


class NormMode(BatchNormalization):
    """With ``mode`` 2 mean and variance are those of each batch, outside training too."""

    def __init__(self, *args: Any, mode: int = _AS_TODAY, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if mode not in (_AS_TODAY, _OF_EACH_BATCH):
            raise ValueError(
                f"{self.label}: mode must be 0, a mean for each channel, or 2, that of each batch; "
                f"got {mode!r:.60}"
            )
        self.mode = mode

    def forward(self, x: Array, training: bool, *args: Any, **kwargs: Any) -> Array:
        """Return the normalized batch."""
        if self.mode == _AS_TODAY:
            return super().forward(x, training, *args, **kwargs)
        kept = self.trainable, self.momentum
        self.trainable, self.momentum = True, 1.0  # the moving ones stay as they are
        try:
            return super().forward(x, True, *args, **kwargs)
        finally:
            self.trainable, self.momentum = kept

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        return config if self.mode == _AS_TODAY else {**config, "mode": self.mode}
