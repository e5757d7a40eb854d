"""Arrays as the types that Keras names, some of which numpy does not have."""

from functools import cache
from typing import Any

import numpy as np

FLOATS = ("float16", "bfloat16", "float32", "float64")


def is_float(x: Any) -> bool:
    """Whether an array holds numbers with a fraction."""
    kind: np.dtype[Any] = np.asarray(x).dtype
    return kind.kind == "f" or kind.name in FLOATS


def as_type(x: Any, name: str) -> Any:
    """Return an array as the type of this name.

    numpy has no bfloat16: without the package ``ml_dtypes`` the result is float32, rounded to what
    bfloat16 has.
    """
    array = np.asarray(x)
    if name == "bfloat16" and _bfloat16() is None:
        return rounded_to_bfloat16(array)
    return array.astype(_bfloat16() if name == "bfloat16" else name, copy=False)


def rounded_to_bfloat16(x: Any) -> Any:
    """Return float32 numbers rounded to the nearest that have 8 bits, ties to even."""
    array = np.ascontiguousarray(x, np.float32)
    bits = array.view(np.uint32)
    up = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    rounded = ((bits + up) & np.uint32(0xFFFF0000)).view(np.float32)
    return np.where(np.isfinite(array), rounded, array)


@cache
def _bfloat16() -> Any:
    try:
        import ml_dtypes
    except ImportError:
        return None
    return ml_dtypes.bfloat16
