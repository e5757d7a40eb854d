"""The active backend: a module with one function an operation (see ``_cpu.pyi``).

``active`` is the module that operations run on, ``cpu`` the one that is always there.
"""

import os
import weakref
from typing import Any

import numpy as np

from pyconv import _aligned

try:
    import pyconv._cpu as active
except ModuleNotFoundError as error:
    raise ImportError(
        "pyconv's native module is missing: this is a source folder, not an installed package. "
        "Run `pip install .` and start Python outside of it."
    ) from error

__all__ = [
    "active",
    "get_conv_algorithm",
    "get_num_threads",
    "set_conv_algorithm",
    "set_num_threads",
]

cpu = active
# The operations of ``active`` for the functional API: what numpy's arrays give is numpy's.
functional = active
# Arrays where operations run: (shape, dtype) to an array that is not initialized, or of zeros.
empty: Any = _aligned.empty
zeros: Any = _aligned.zeros
# Changes with the device: what holds arrays compares it with the one that they were made under.
generation = 0
# Stores of arrays that nobody needs from one step to the next.
buffers: "weakref.WeakSet[Any]" = weakref.WeakSet()


def select(module: Any) -> None:
    """Run operations on ``module``, from the next one on; buffers are dropped."""
    on_cpu = module is cpu
    globals().update(
        active=module,
        functional=module if on_cpu else module.functional,
        empty=_aligned.empty if on_cpu else module.empty,
        zeros=_aligned.zeros if on_cpu else module.zeros,
        generation=generation + 1,
    )
    for store in list(buffers):
        store.clear()


def on_device(array: Any) -> Any:
    """Return ``array`` where operations run: itself, or a copy where it is elsewhere."""
    module: Any = active
    return np.asarray(array) if module is cpu else module.asarray(array)


def is_here(array: Any) -> bool:
    """Whether ``array`` is one of those that operations work on."""
    module: Any = active
    return isinstance(array, np.ndarray if module is cpu else module.Array)


def float32(array: Any) -> Any:
    """Return ``array`` as float32, C-contiguous, where operations run; itself if it is so."""
    if active is not cpu and is_here(array):
        return array.astype(np.float32, copy=False)
    return on_device(np.asarray(array, np.float32, order="C"))


def set_num_threads(n: int) -> None:
    """Use ``n`` threads from the next operation on; results are the same bits for any number.

    Args:
        n: 1 to 256.

    Raises:
        TypeError: ``n`` is not an integer.
        ValueError: ``n`` is outside 1 to 256.

    Example:
        >>> import pyconv
        >>> pyconv.set_num_threads(2)
        >>> pyconv.get_num_threads()
        2
    """
    from pyconv._args import int_arg

    cpu.set_num_threads(int_arg("set_num_threads", "n", n, minimum=1, maximum=256))


def get_num_threads() -> int:
    """Number of threads that operations use.

    By default the cores that this process may use, or ``PYCONV_NUM_THREADS``.

    Example:
        >>> import pyconv
        >>> pyconv.get_num_threads() >= 1
        True
    """
    return cpu.get_num_threads()


def set_conv_algorithm(algorithm: str) -> None:
    """Choose how the CPU computes convolutions from the next operation on.

    Args:
        algorithm: "auto" takes Winograd's F(2x2, RxR) for 2x2 and 3x3 filters with stride 1 and at
            least 16 channels, where it is faster at about the direct kernel's rounding error;
            "direct" never takes it; "winograd" takes it for every such filter with stride 1.

    Raises:
        TypeError: ``algorithm`` is not a string.
        ValueError: ``algorithm`` is none of the three.

    Example:
        >>> import pyconv
        >>> pyconv.set_conv_algorithm("direct")
        >>> pyconv.get_conv_algorithm()
        'direct'
        >>> pyconv.set_conv_algorithm("auto")
    """
    if not isinstance(algorithm, str):
        raise TypeError(
            f"set_conv_algorithm: algorithm must be a string, got {type(algorithm).__name__}"
        )
    if algorithm not in ("auto", "direct", "winograd"):
        from pyconv._args import shown

        raise ValueError(
            "set_conv_algorithm: algorithm must be 'auto', 'direct' or 'winograd', got "
            f"{shown(algorithm)}"
        )
    cpu.set_conv_algorithm(algorithm)


def get_conv_algorithm() -> str:
    """Return what ``set_conv_algorithm`` chose.

    Example:
        >>> import pyconv
        >>> pyconv.get_conv_algorithm()
        'auto'
    """
    return cpu.get_conv_algorithm()


if os.environ.get("PYCONV_DEVICE"):
    from pyconv import _devices  # noqa: F401  (which makes that choice)
