"""What callbacks that watch a metric share: the direction in which it is better."""

import math

_SMALLER = ("loss", "error", "entropy", "mse", "mae", "rmse")
_LARGER = ("acc", "auc", "precision", "recall", "f1")


class Monitor:
    """Compares values of a metric; None is worse than any number, NaN is never better."""

    def __init__(self, owner: str, name: str, mode: str, min_delta: float = 0.0) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{owner}: monitor must be the name of a metric, got {name!r}")
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{owner}: mode must be 'auto', 'min' or 'max', got {mode!r}")
        self.name = name
        self._sign = 1.0 if (mode if mode != "auto" else _mode(owner, name)) == "max" else -1.0
        self._min_delta = abs(min_delta)

    @property
    def worst(self) -> float:
        """The value that any other is better than."""
        return -self._sign * math.inf

    def improved(self, value: float, best: float | None) -> bool:
        """Whether ``value`` is better than ``best`` by more than ``min_delta``."""
        if math.isnan(value):
            return False
        return best is None or self._sign * value - self._min_delta > self._sign * best


def _mode(owner: str, name: str) -> str:
    if any(part in name for part in _LARGER):
        return "max"
    if any(part in name for part in _SMALLER):
        return "min"
    raise ValueError(
        f"{owner}: whether monitor={name!r} should be small or large is not known; give mode='min' "
        "or mode='max'"
    )
