"""What layers that hold layers compute: their paths, and what is made of the results."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._explain_text import Values, activated, first, number, rest
from pyconv.layers._path import Path


def residual(layer: Any, x: Values, y: Values, most: int) -> Iterator[str]:
    """Explain a ``Residual``: both paths, and sums of their results."""
    name = layer.activation.name
    main, shortcut = layer.paths
    yield f"y = {'f(x) + shortcut(x)' if name == 'linear' else f'{name}(f(x) + shortcut(x))'}"
    yield f"f: {_row(main)}"
    yield f"shortcut: {_row(shortcut)}"
    yield _parameters(layer)
    yield from _sums(layer, x, y, most)


def branches(layer: Any, x: Values, y: Values, most: int) -> Iterator[str]:
    """Explain ``Branches``: each path, and where its result is in the whole or how it is added."""
    for i, path in enumerate(layer.paths):
        yield f"branch {i}: {_row(path)}"
    if layer.merge == "add":
        yield _parameters(layer)
        yield from _sums(layer, x, y, most)
        return
    results = _results(layer, x)
    sizes = [result.shape[-1] for result in results]
    yield f"D2 = {' + '.join(map(str, sizes))} = {sum(sizes)}"
    yield _parameters(layer)
    start = 0
    for i, size in enumerate(sizes):
        which = f"channel {start}" if size == 1 else f"channels {start} to {start + size - 1}"
        yield f"{which} of the result: branch {i}"
        start += size


def _row(path: Path) -> str:
    """Return the layers of a path with the shapes of what they give."""
    if not path.layers:
        return "x itself"
    return " -> ".join(
        f"{layer.name} ({type(layer).__name__}) {'x'.join(map(str, layer.output_shape[1:]))}"
        for layer in path.layers
    )


def _parameters(layer: Any) -> str:
    counts = [sum(inner.count_params() for inner in path.layers) for path in layer.paths]
    return f"parameters: {' + '.join(map(str, counts))} = {sum(counts)}"


def _results(layer: Any, x: Values) -> list[Values]:
    """Return what each path makes of a sample."""
    inputs = np.ascontiguousarray(x[np.newaxis])
    return [
        np.array(path.forward(backend.on_device(inputs.copy()), False))[0] for path in layer.paths
    ]


def _sums(layer: Any, x: Values, y: Values, most: int) -> Iterator[str]:
    results = _results(layer, x)
    images = y.ndim == 3
    shape = np.moveaxis(y, -1, 0).shape
    for index in first(shape, most):
        at = (*index[1:], index[0])
        terms = [float(result[at]) for result in results]
        place = "unit " + ", ".join(map(str, at))
        if images:
            place = "channel {}, row {}, column {}".format(*index)
        added = " + ".join(f"({text})" if text[0] == "-" else text for text in map(number, terms))
        yield f"{place}: {added} = {_result(layer, sum(terms), y[at])}"
    yield from rest(y.size, most)


def _result(layer: Any, total: float, result: Any) -> str:
    return activated(layer, total, result) if hasattr(layer, "activation") else number(total)
