"""The numbers, sums and maps of an explanation as text."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_TERMS = 27  # of one sum: a 3x3 window of 3 channels
_MOST_CELLS = 12  # rows and columns of a map that is printed
_MOST_MAPS = 2

Values = NDArray[Any]


def first(shape: tuple[int, ...], most: int) -> Iterator[tuple[int, ...]]:
    for index, _ in zip(np.ndindex(*shape), range(most), strict=False):
        yield index


def rest(count: int, most: int) -> Iterator[str]:
    if count > most:
        yield f"... and {count - most:,} more"


def products(values: Values, weights: Values, bias: float) -> str:
    pairs = zip(values[:_MOST_TERMS], weights[:_MOST_TERMS], strict=True)
    text = " + ".join(f"{number(v)}*{factor(w)}" for v, w in pairs)
    if values.size > _MOST_TERMS:
        text += f" + ... {values.size - _MOST_TERMS:,} more"
    return text if bias == 0 else f"{text} + {factor(bias)}"


def some(values: Values, separator: str) -> str:
    text = separator.join(map(number, values[:_MOST_TERMS]))
    more = values.size - _MOST_TERMS
    return text if more <= 0 else f"{text}{separator}... {more:,} more"


def activated(layer: Any, total: float, result: Any) -> str:
    name = layer.activation.name
    if name == "linear":
        return number(total)
    return f"{number(total)} -> {name} -> {number(result)}"


def maps(y: Values) -> Iterator[str]:
    """Show the maps (H, W, C) where they are small."""
    if max(y.shape[:2]) > _MOST_CELLS:
        return
    for k in range(min(y.shape[2], _MOST_MAPS)):
        yield "result:" if y.shape[2] == 1 else f"result, map {k}:"
        cells = [[number(value) for value in row] for row in y[..., k]]
        width = max(len(cell) for row in cells for cell in row)
        for row in cells:
            yield "  " + " ".join(cell.rjust(width) for cell in row)
    if y.shape[2] > _MOST_MAPS:
        yield f"... and {y.shape[2] - _MOST_MAPS} more maps"


def factor(value: Any) -> str:
    text = number(value)
    return f"({text})" if text.startswith("-") else text


def number(value: Any) -> str:
    """Return a number with six digits, without a sign at zero."""
    return f"{float(value) + 0.0:.6g}"


def pair(value: tuple[int, int]) -> str:
    return str(value[0]) if value[0] == value[1] else f"{value[0]}x{value[1]}"
