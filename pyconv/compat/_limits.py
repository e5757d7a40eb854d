"""``keras.config.set_max_epochs`` and the like: shorter runs of ``fit``, to try a script."""

import os
import warnings
from typing import Any

from pyconv._args import int_arg

_limits: dict[str, int | None] = {}


def set_max_epochs(max_epochs: int | None) -> None:
    """Have ``fit`` train for so many epochs at most.

    Args:
        max_epochs: None for no limit. The environment variable ``KERAS_MAX_EPOCHS`` sets what
            holds before.

    Raises:
        TypeError, ValueError: it is not a positive integer.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.config.set_max_epochs(2)
        >>> keras.config.max_epochs()
        2
        >>> keras.config.set_max_epochs(None)
    """
    _set("max_epochs", max_epochs)


def max_epochs() -> int | None:
    """Return the most epochs of a ``fit``, None without a limit.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.config.max_epochs() is None
        True
    """
    return _limit("max_epochs")


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Have epochs of ``fit`` take so many steps at most.

    Args:
        max_steps_per_epoch: None for no limit. The environment variable
            ``KERAS_MAX_STEPS_PER_EPOCH`` sets what holds before.

    Raises:
        TypeError, ValueError: it is not a positive integer.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.config.set_max_steps_per_epoch(3)
        >>> keras.config.max_steps_per_epoch()
        3
        >>> keras.config.set_max_steps_per_epoch(None)
    """
    _set("max_steps_per_epoch", max_steps_per_epoch)


def max_steps_per_epoch() -> int | None:
    """Return the most steps of an epoch of ``fit``, None without a limit.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.config.max_steps_per_epoch() is None
        True
    """
    return _limit("max_steps_per_epoch")


def apply(arguments: dict[str, Any], by_place: tuple[Any, ...]) -> None:
    """Lower ``epochs`` and ``steps_per_epoch`` among the arguments of a ``fit``."""
    if not _limits and not any(f"KERAS_{name}" in os.environ for name in ("MAX_EPOCHS", _STEPS)):
        return
    epochs, steps = max_epochs(), max_steps_per_epoch()
    if epochs is not None and len(by_place) < 4 and arguments.get("epochs", 1) > epochs:
        warnings.warn(f"Limiting epochs to {epochs}", stacklevel=3)
        arguments["epochs"] = epochs
    given = arguments.get("steps_per_epoch")
    if steps is not None and (given is None or given > steps):
        warnings.warn(f"Limiting steps_per_epoch to {steps}", stacklevel=3)
        arguments["steps_per_epoch"] = steps


_STEPS = "MAX_STEPS_PER_EPOCH"


def _set(name: str, value: Any) -> None:
    _limits[name] = None if value is None else int_arg(f"set_{name}", name, value)


def _limit(name: str) -> int | None:
    if name in _limits:
        return _limits[name]
    told = os.environ.get(f"KERAS_{name.upper()}")
    return int(told) if told else None
