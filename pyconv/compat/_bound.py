"""Functions with what they take from around them as it is now.

Keras 2 runs the function of a ``Lambda`` once, where the layer is called: in a loop each layer has
the loop's numbers of that time.
"""

import types
from collections.abc import Iterator
from typing import Any

import numpy as np

_PLAIN = (bool, int, float, str, tuple, list, np.generic)


def bound(function: Any) -> Any:
    """Return the function with today's numbers; itself where it takes none from around."""
    if not isinstance(function, types.FunctionType):
        return function
    cells = [_copied(cell) for cell in function.__closure__ or ()]
    names = [name for name in _names(function.__code__) if name in function.__globals__]
    around = {name: function.__globals__[name] for name in names}
    changes = any(
        new is not old for new, old in zip(cells, function.__closure__ or (), strict=True)
    )
    if not changes and not any(isinstance(value, _PLAIN) for value in around.values()):
        return function
    around["__builtins__"] = function.__globals__.get("__builtins__", __builtins__)
    around["__name__"] = function.__globals__.get("__name__")
    made = types.FunctionType(
        function.__code__, around, function.__name__, function.__defaults__, tuple(cells)
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _copied(cell: Any) -> Any:
    """Return a cell of its own for a number; others are seen as they change."""
    try:
        value = cell.cell_contents
    except ValueError:  # not set yet
        return cell
    return types.CellType(value) if isinstance(value, _PLAIN) else cell


def _names(code: types.CodeType) -> Iterator[str]:
    """Give the names that code and the functions within it may take from the module."""
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _names(part)
