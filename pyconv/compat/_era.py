"""Which Keras's numerics and texts are followed where they differ: 'keras2' or 'keras3'."""

import os
from typing import Any

from pyconv._args import is_one_of

ERAS = ("keras2", "keras3")

_chosen: str | None = None
_suggested = False


def compat() -> str:
    """Return the version that is followed: 'keras2' (the default) or 'keras3'.

    Example:
        >>> import pyconv.compat
        >>> pyconv.compat.compat()
        'keras2'
    """
    return _chosen or era_arg("PYCONV_COMPAT", os.environ.get("PYCONV_COMPAT") or "keras2")


def select(compat: str) -> None:
    """Follow this version from now on; models and optimizers keep that of their making.

    Args:
        compat: 'keras2' for RMSprop's, Adam's and other rules of Keras 2.0, its names, its
            summary table and its log lines; 'keras3' for those of Keras 3. The environment
            variable ``PYCONV_COMPAT`` sets what holds before the first call.

    Raises:
        ValueError: it is neither.

    Example:
        >>> import pyconv.compat
        >>> pyconv.compat.select("keras2")
    """
    global _chosen, _suggested
    _chosen, _suggested = era_arg("select", compat), False


def suggest(era: str) -> None:
    """Follow this version unless the user chose one."""
    global _chosen, _suggested
    if _chosen is None and not os.environ.get("PYCONV_COMPAT"):
        _chosen, _suggested = era, True


def era_arg(owner: str, value: Any) -> str:
    """Return ``value`` where it names a version."""
    if not is_one_of(value, ERAS):
        raise ValueError(f"{owner}: compat must be 'keras2' or 'keras3', got {value!r:.60}")
    return str(value)


def is_keras3_by_choice() -> bool:
    """Whether Keras 3 is followed as the user chose it, not for a program of TensorFlow's."""
    return not is_keras2() and not _suggested


def is_keras2() -> bool:
    """Whether Keras 2 is followed."""
    return compat() == "keras2"
