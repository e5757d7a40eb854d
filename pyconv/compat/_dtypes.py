"""Types of numbers that results are given in; what is computed is computed in float32."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

_FLOATS = ("float16", "bfloat16", "float32", "float64")


def result_type(owner: str, dtype: Any) -> str:
    """Return the name of the type that results are to have, of a name or a policy.

    Raises:
        ValueError: it is no floating type.
    """
    given = getattr(dtype, "compute_dtype", dtype)
    if given is None:
        return "float32"
    name = given if isinstance(given, str) else _name(given)
    if name not in _FLOATS:
        raise ValueError(f"{owner}: dtype must be one of {', '.join(_FLOATS)}, got {dtype!r:.60}")
    return name


def numpy_type(name: str) -> DTypeLike:
    """Return numpy's type of that name; bfloat16 needs the package ml_dtypes.

    Raises:
        ImportError: it is bfloat16, and the package is not there.
    """
    if name != "bfloat16":
        return name
    try:
        import ml_dtypes
    except ImportError:
        raise ImportError("bfloat16 needs the package ml_dtypes; or use float16") from None
    found: DTypeLike = ml_dtypes.bfloat16
    return found


def _name(dtype: Any) -> str:
    try:
        return str(np.dtype(dtype).name)
    except TypeError:
        return ""
