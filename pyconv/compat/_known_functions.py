"""Functions of ``Lambda`` layers, which files name: those that this process gave such layers.

The code in a file is never run. It is compared with that of functions that are here already.
"""

import hashlib
import marshal
import types
from base64 import encodebytes
from typing import Any

_PLAIN = (bool, int, float, str, type(None))
_known: dict[str, Any] = {}


def remember(function: Any) -> None:
    """Have files that name the function find it, unless it holds on to what is no plain data."""
    if isinstance(function, types.FunctionType) and is_plain(function):
        _known[key_of(function)] = function
        if function.__name__ != "<lambda>":
            _known[function.__name__] = function


def find(key: str) -> Any:
    """Return the function that has this key, or None."""
    return _known.get(key)


def is_plain(function: types.FunctionType) -> bool:
    """Whether what a function takes from around it, and its defaults, are plain data."""
    return _all_plain([*_closure(function), *(function.__defaults__ or ())])


def key_of(function: types.FunctionType) -> str:
    """Return what tells the code of a function, and what it takes from around it."""
    parts = _of_code(function.__code__), _closure(function), function.__defaults__
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def described(function: types.FunctionType) -> dict[str, Any]:
    """Return a function without a name as Keras's files have it, and by its key."""
    code = encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    config = {
        "code": code,
        "defaults": function.__defaults__ and list(function.__defaults__),
        "closure": _closure(function) or None,
        "key": key_of(function),
    }
    return {"class_name": "__lambda__", "config": config}


def _closure(function: types.FunctionType) -> list[Any]:
    cells = []
    for cell in function.__closure__ or ():
        try:
            cells.append(cell.cell_contents)
        except ValueError:  # not set yet
            cells.append(cell)
    return cells


def _all_plain(values: Any) -> bool:
    return all(
        _all_plain(value) if isinstance(value, (list, tuple)) else isinstance(value, _PLAIN)
        for value in values
    )


def _of_code(code: types.CodeType) -> Any:
    constants = [
        _of_code(one) if isinstance(one, types.CodeType) else one for one in code.co_consts
    ]
    return code.co_code.hex(), constants, code.co_names, code.co_varnames, code.co_freevars
