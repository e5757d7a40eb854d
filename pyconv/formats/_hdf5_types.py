"""The types of numbers and strings in HDF5 files."""

import struct
from typing import Any

import numpy as np

_FIXED, _FLOAT, _STRING, _VARIABLE = 0, 1, 3, 9
# Of floats: place of the sign, and (offset, precision, exponent's place and size, mantissa's place
# and size, bias).
_FLOATS: dict[int, tuple[int, tuple[int, ...]]] = {
    2: (15, (0, 16, 10, 5, 0, 10, 15)),
    4: (31, (0, 32, 23, 8, 0, 23, 127)),
    8: (63, (0, 64, 52, 11, 0, 52, 1023)),
}
_FLOAT_BODY = struct.Struct("<HHBBBBI")


class Reference:
    """The type of strings of variable length, which are in a heap."""


def datatype(body: bytes) -> "np.dtype[Any] | Reference":
    """Return the numpy type of a datatype message.

    Raises:
        ValueError: it is not one of integers, IEEE floats or strings.
    """
    if len(body) < 8:
        raise ValueError("a datatype is cut off")
    kind, flags = body[0] & 15, int.from_bytes(body[1:4], "little")
    size = int.from_bytes(body[4:8], "little")
    order = ">" if flags & 1 else "<"
    if kind == _FIXED and size in (1, 2, 4, 8):
        return np.dtype(f"{order}{'i' if flags & 8 else 'u'}{size}")
    if kind == _FLOAT and size in _FLOATS and len(body) >= 20:
        sign, fields = _FLOATS[size]
        if _FLOAT_BODY.unpack_from(body, 8) == fields and (flags >> 8) & 255 == sign:
            return np.dtype(f"{order}f{size}")
    if kind == _STRING and 0 < size < 2**16:
        return np.dtype(f"S{size}")
    if kind == _VARIABLE and flags & 15 == 1:
        return Reference()
    raise ValueError(f"a datatype (class {kind}, {size} bytes) is not read here")


def encoded(dtype: "np.dtype[Any] | Reference") -> bytes:
    """Return the datatype message of a type."""
    if isinstance(dtype, Reference):
        byte = _head(_STRING, 0, 1)
        return _head(_VARIABLE, 1, 16) + byte
    size = dtype.itemsize
    if dtype.kind in "iu":
        return _head(_FIXED, 8 * (dtype.kind == "i"), size) + struct.pack("<HH", 0, 8 * size)
    if dtype.kind == "f":
        sign, fields = _FLOATS[size]
        return _head(_FLOAT, 0x20 | sign << 8, size) + _FLOAT_BODY.pack(*fields)
    return _head(_STRING, 1, size)


def _head(kind: int, flags: int, size: int) -> bytes:
    return bytes([0x10 | kind]) + flags.to_bytes(3, "little") + struct.pack("<I", size)
