"""More derivatives of numpy's functions: products, sums along the way, and what moves elements."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pyconv.compat._autodiff import made, unwrapped


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes that a function of numpy's means, 0 or more."""
    if axis is None:
        return tuple(range(ndim))
    parts = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(int(part) % ndim for part in parts)


def _prod(a: Any, axis: Any = None, *args: Any, keepdims: Any = False, **_: Any) -> Any:
    values = unwrapped(a)
    axes, kept = _axes(axis, values.ndim), keepdims is True
    # The product of the others; not by a quotient, as there may be zeros.
    front = np.moveaxis(values, axes, range(len(axes)))
    rows = front.reshape(-1, *front.shape[len(axes) :])
    others = np.stack([np.delete(rows, i, 0).prod(axis=0) for i in range(len(rows))])
    slope = np.moveaxis(others.reshape(front.shape), range(len(axes)), axes)
    return made(
        values.prod(axis=axes, keepdims=kept),
        [(a, lambda dy: (dy if kept else np.expand_dims(dy, axes)) * slope)],
    )


def _cumsum(a: Any, axis: Any = None, *args: Any, **_: Any) -> Any:
    values = unwrapped(a)
    if axis is None:
        return _cumsum(np.reshape(a, -1), 0)

    def pull(dy: Any) -> Any:
        return np.flip(np.cumsum(np.flip(dy, axis), axis), axis)

    return made(np.cumsum(values, axis), [(a, pull)])


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = np.asanyarray(a), np.asanyarray(b)
    if isinstance(axes, int):
        axes = (range(a.ndim - axes, a.ndim), range(axes))
    of_a, of_b = (
        _axes(list(part) if isinstance(part, range) else part, array.ndim)
        for part, array in zip(axes, (a, b), strict=True)
    )
    rest_a = [i for i in range(a.ndim) if i not in of_a]
    rest_b = [i for i in range(b.ndim) if i not in of_b]
    inner = int(np.prod([a.shape[i] for i in of_a]))
    rows = np.reshape(np.transpose(a, (*rest_a, *of_a)), (-1, inner))
    columns = np.reshape(np.transpose(b, (*of_b, *rest_b)), (inner, -1))
    shape = (*(a.shape[i] for i in rest_a), *(b.shape[i] for i in rest_b))
    return np.reshape(np.matmul(rows, columns), shape)


def _einsum(subscripts: str, *operands: Any, **_: Any) -> Any:
    """The gradient of an operand is an einsum of the others and of that of the result."""
    taken, _arrow, given = subscripts.replace(" ", "").partition("->")
    names = taken.split(",")
    if "->" not in subscripts or "." in subscripts or any(len(set(n)) < len(n) for n in names):
        raise NotImplementedError(
            f"einsum({subscripts!r}): pyconv knows the gradient of forms such as 'ij,jk->ik', with "
            "'->' and without '...'"
        )
    arrays = [np.asarray(unwrapped(x)) for x in operands]

    def pull_of(i: int) -> Callable[[Any], Any]:
        others = [j for j in range(len(names)) if j != i]
        seen = set(given).union(*(names[j] for j in others))
        kept = "".join(letter for letter in names[i] if letter in seen)
        missing = tuple(k for k, letter in enumerate(names[i]) if letter not in seen)
        form = ",".join([given, *(names[j] for j in others)]) + "->" + kept

        def pull(dy: Any) -> Any:
            gradient = np.einsum(form, dy, *(arrays[j] for j in others))
            return np.broadcast_to(np.expand_dims(gradient, missing), arrays[i].shape)

        return pull

    pairs = [(x, pull_of(i)) for i, x in enumerate(operands)]
    return made(np.einsum(subscripts, *arrays), pairs)


def _pad(array: Any, pad_width: Any, mode: str = "constant", **kwargs: Any) -> Any:
    if mode != "constant":
        return _moving(np.pad)(array, pad_width, mode)
    pad: Any = np.pad
    values = pad(unwrapped(array), pad_width, mode, **kwargs)
    widths = np.broadcast_to(np.asarray(pad_width), (values.ndim, 2))
    inner = tuple(
        slice(int(before), size - int(after))
        for (before, after), size in zip(widths, values.shape, strict=True)
    )
    return made(values, [(array, lambda dy: dy[inner])])


def _moving(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the rule of a function whose results are elements of its argument, at new places."""

    def rule(a: Any, *args: Any, **kwargs: Any) -> Any:
        values = np.asarray(unwrapped(a))
        places = function(np.arange(values.size).reshape(values.shape), *args, **kwargs).ravel()

        def pull(dy: Any) -> Any:
            back = np.bincount(places, np.asarray(dy, np.float64).ravel(), values.size)
            return back.reshape(values.shape).astype(dy.dtype)

        return made(function(values, *args, **kwargs), [(a, pull)])

    return rule


def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    parts = np.split(np.arange(np.shape(ary)[axis]), indices_or_sections)
    head = (slice(None),) * (axis % np.ndim(ary))
    places = [slice(int(p[0]), int(p[-1]) + 1) if len(p) else slice(0) for p in parts]
    return [ary[head + (place,)] for place in places]  # noqa: RUF005


def _sort(a: Any, axis: Any = -1, *args: Any, **_: Any) -> Any:
    return np.take_along_axis(a, np.argsort(unwrapped(a), axis), axis)


def _triangle(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(m: Any, k: int = 0) -> Any:
        return made(function(unwrapped(m), k), [(m, lambda dy: function(dy, k))])

    return rule


def _joined(axis_of: Callable[[int], int], rank: int) -> Callable[..., Any]:
    def rule(tup: Any, **_: Any) -> Any:
        parts = [np.asanyarray(part) for part in tup]
        parts = [np.reshape(p, (1,) * (rank - p.ndim) + p.shape) for p in parts]
        return np.concatenate(parts, axis_of(parts[0].ndim))

    return rule


def _outer(a: Any, b: Any, out: Any = None) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


MORE: dict[Any, Callable[..., Any]] = {
    np.prod: _prod,
    np.cumsum: _cumsum,
    np.tensordot: _tensordot,
    np.einsum: _einsum,
    np.pad: _pad,
    np.split: _split,
    np.sort: _sort,
    np.tril: _triangle(np.tril),
    np.triu: _triangle(np.triu),
    np.outer: _outer,
    np.hstack: _joined(lambda ndim: min(ndim - 1, 1), 1),
    np.vstack: _joined(lambda ndim: 0, 2),
    np.roll: _moving(np.roll),
    np.tile: _moving(np.tile),
    np.diagonal: _moving(np.diagonal),
    np.rot90: _moving(np.rot90),
}
