"""Conversion of what users give to the float32 arrays that kernels take."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array

_NATIVE = tuple(map(np.dtype, (np.uint8, np.float32, np.float64)))


def is_native(array: NDArray[Any]) -> bool:
    """Whether native code takes the rows of an array as they are."""
    return array.dtype in _NATIVE and array.flags.c_contiguous and array.flags.aligned


def float32_array(owner: str, name: str, value: Any) -> Array:
    """Return ``value`` as a C-contiguous float32 array, itself where it already is one.

    Raises:
        TypeError: it does not hold real numbers.
        ValueError: it is nested lists of uneven lengths.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{owner}: {name} must be an array of numbers: {error}") from None
    if array.dtype.kind not in "buif" and array.dtype.name != "bfloat16":
        got = f"a {array.dtype} array"
        if array.dtype == object:
            got = "an object array" if array is value else f"a {type(value).__name__}"
        raise TypeError(f"{owner}: {name} must be an array of real numbers, got {got}")
    with np.errstate(over="ignore"):
        return np.asarray(array, np.float32, order="C")
