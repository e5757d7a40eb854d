"""The derivatives of numpy's functions, for ``_autodiff``."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pyconv.compat._autodiff import Pull, Taped, made, unwrapped
from pyconv.compat._more_derivatives import MORE

# Functions that take and return what numpy's do.
FUNCTIONS: dict[Any, Callable[..., Any]] = dict(MORE)


def _elementwise(slope: Callable[[Any, Any], Any]) -> Callable[..., list[Pull]]:
    """Return the rule of ``y = f(x)`` from its slope ``slope(y, x)``."""
    return lambda y, x: [lambda dy: dy * slope(y, x)]


def _flat(*args: Any) -> list[None]:
    """Have no gradient: steps, and comparisons."""
    return [None] * (len(args) - 1)


def _matmul(y: Any, a: Any, b: Any) -> list[Pull]:
    a, b = np.asarray(a), np.asarray(b)
    rows, columns = np.atleast_2d(a), b[:, None] if b.ndim == 1 else b

    def whole(dy: Any) -> Any:
        dy = np.expand_dims(dy, -1) if b.ndim == 1 else dy
        return np.expand_dims(dy, -2) if a.ndim == 1 else dy

    def of_a(dy: Any) -> Any:
        gradient = whole(dy) @ np.swapaxes(columns, -1, -2)
        return gradient[..., 0, :] if a.ndim == 1 else gradient

    def of_b(dy: Any) -> Any:
        gradient = np.swapaxes(rows, -1, -2) @ whole(dy)
        return gradient[..., 0] if b.ndim == 1 else gradient

    return [of_a, of_b]


def _power(y: Any, x: Any, n: Any) -> list[Pull]:
    def of_n(dy: Any) -> Any:
        return dy * y * np.log(np.where(np.asarray(x) > 0, x, 1))

    return [lambda dy: dy * n * np.power(x, np.asarray(n) - 1), of_n]


UFUNCS: dict[Any, Callable[..., Any]] = {
    np.add: lambda y, a, b: [lambda dy: dy, lambda dy: dy],
    np.subtract: lambda y, a, b: [lambda dy: dy, lambda dy: -dy],
    np.multiply: lambda y, a, b: [lambda dy: dy * b, lambda dy: dy * a],
    np.divide: lambda y, a, b: [lambda dy: dy / b, lambda dy: -dy * y / b],
    np.power: _power,
    np.matmul: _matmul,
    np.maximum: lambda y, a, b: [lambda dy: dy * (a > b), lambda dy: dy * ~np.greater(a, b)],
    np.minimum: lambda y, a, b: [lambda dy: dy * (a < b), lambda dy: dy * ~np.less(a, b)],
    np.logaddexp: lambda y, a, b: [lambda dy: dy * np.exp(a - y), lambda dy: dy * np.exp(b - y)],
    np.negative: _elementwise(lambda y, x: -1),
    np.positive: _elementwise(lambda y, x: 1),
    np.absolute: _elementwise(lambda y, x: np.sign(x)),
    np.square: _elementwise(lambda y, x: 2 * x),
    np.sqrt: _elementwise(lambda y, x: 0.5 / y),
    np.reciprocal: _elementwise(lambda y, x: -y * y),
    np.exp: _elementwise(lambda y, x: y),
    np.expm1: _elementwise(lambda y, x: y + 1),
    np.log: _elementwise(lambda y, x: 1 / x),
    np.log1p: _elementwise(lambda y, x: 1 / (1 + x)),
    np.log2: _elementwise(lambda y, x: 1 / (x * math.log(2))),
    np.log10: _elementwise(lambda y, x: 1 / (x * math.log(10))),
    np.sin: _elementwise(lambda y, x: np.cos(x)),
    np.cos: _elementwise(lambda y, x: -np.sin(x)),
    np.tan: _elementwise(lambda y, x: 1 + y * y),
    np.arctan: _elementwise(lambda y, x: 1 / (1 + x * x)),
    np.sinh: _elementwise(lambda y, x: np.cosh(x)),
    np.cosh: _elementwise(lambda y, x: np.sinh(x)),
    np.tanh: _elementwise(lambda y, x: 1 - y * y),
    **dict.fromkeys(
        (np.sign, np.floor, np.ceil, np.rint, np.trunc, np.floor_divide, np.greater, np.less,
         np.greater_equal, np.less_equal, np.equal, np.not_equal, np.isnan, np.isfinite, np.isinf,
         np.logical_and, np.logical_or, np.logical_not, np.logical_xor),
        _flat,
    ),
}  # fmt: skip


def _rule(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say which functions of numpy's one stands for where arrays are ``Taped``."""

    def keep(rule: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS.update(dict.fromkeys(functions, rule))
        return rule

    return keep


def _takes_each_once(key: Any) -> bool:
    """Whether no number is taken twice: the key is of slices and places."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(
        part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice))
        for part in parts
    )


def taken(x: Taped, key: Any) -> Any:
    """Return ``x[key]``."""
    values = unwrapped(x)

    def pull(dy: Any) -> Any:
        gradient = np.zeros(values.shape, dy.dtype)
        if _takes_each_once(key):
            gradient[key] = dy
        else:
            np.add.at(gradient, key, dy)
        return gradient

    return made(values[key], [(x, pull)])


def _spread(dy: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Any:
    """Return what was reduced over ``axis``, broadcast to ``shape``."""
    if axis is not None and not keepdims:
        dy = np.expand_dims(dy, axis)
    return np.broadcast_to(dy, shape)


@_rule(np.sum)
def _sum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False
) -> Any:
    values = unwrapped(a)
    keepdims = keepdims is True
    total = np.sum(values, axis, dtype, keepdims=keepdims)
    return made(total, [(a, lambda dy: _spread(dy, values.shape, axis, keepdims))])


@_rule(np.mean)
def _mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False
) -> Any:
    values = unwrapped(a)
    keepdims = keepdims is True
    result = np.mean(values, axis, dtype, keepdims=keepdims)
    count = max(np.size(values), 1) / max(np.size(result), 1)
    return made(result, [(a, lambda dy: _spread(dy / count, values.shape, axis, keepdims))])


def _extreme(find: Callable[..., Any]) -> Callable[..., Any]:
    """Return the rule of a largest or smallest; those that are equal share the gradient."""

    def rule(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Any:
        values = unwrapped(a)
        most = find(values, axis=axis, keepdims=True)
        chosen = values == most
        share = chosen / chosen.sum(axis=axis, keepdims=True)
        kept = keepdims is True
        result = find(values, axis=axis, keepdims=kept)
        return made(result, [(a, lambda dy: _spread(dy, values.shape, axis, kept) * share)])

    return rule


_rule(np.max, np.amax)(_extreme(np.max))
_rule(np.min, np.amin)(_extreme(np.min))


@_rule(np.var)
def _var(a: Any, axis: Any = None, *args: Any, keepdims: Any = False, **_: Any) -> Any:
    return _mean(np.square(a - _mean(a, axis, keepdims=True)), axis, keepdims=keepdims)


@_rule(np.std)
def _std(a: Any, axis: Any = None, *args: Any, keepdims: Any = False, **_: Any) -> Any:
    return np.sqrt(_var(a, axis, keepdims=keepdims))


@_rule(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    if ord == 1:
        return _sum(np.abs(x), axis, keepdims=keepdims)
    if ord not in (None, 2):
        raise NotImplementedError(f"numpy.linalg.norm: pyconv knows no gradient for ord={ord!r}")
    return np.sqrt(_sum(np.square(x), axis, keepdims=keepdims))


@_rule(np.reshape)
def _reshape(a: Any, shape: Any = None, *args: Any, newshape: Any = None, **_: Any) -> Any:
    values = unwrapped(a)
    result = np.reshape(values, newshape if shape is None else shape)
    return made(result, [(a, lambda dy: np.reshape(dy, values.shape))])


@_rule(np.ravel)
def _ravel(a: Any, *args: Any) -> Any:
    return _reshape(a, (-1,))


@_rule(np.expand_dims)
def _expand_dims(a: Any, axis: Any) -> Any:
    return _reshape(a, np.expand_dims(unwrapped(a), axis).shape)


@_rule(np.squeeze)
def _squeeze(a: Any, axis: Any = None) -> Any:
    return _reshape(a, np.squeeze(unwrapped(a), axis).shape)


@_rule(np.transpose)
def _transpose(a: Any, axes: Any = None) -> Any:
    values = unwrapped(a)
    order = tuple(range(values.ndim))[::-1] if axes is None else tuple(axes)
    back = np.argsort([axis % values.ndim for axis in order])
    return made(np.transpose(values, order), [(a, lambda dy: np.transpose(dy, back))])


@_rule(np.swapaxes)
def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    result = np.swapaxes(unwrapped(a), axis1, axis2)
    return made(result, [(a, lambda dy: np.swapaxes(dy, axis1, axis2))])


@_rule(np.moveaxis)
def _moveaxis(a: Any, source: Any, destination: Any) -> Any:
    result = np.moveaxis(unwrapped(a), source, destination)
    return made(result, [(a, lambda dy: np.moveaxis(dy, destination, source))])


@_rule(np.broadcast_to)
def _broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    return made(np.broadcast_to(unwrapped(array), shape), [(array, lambda dy: dy)])


@_rule(np.flip)
def _flip(m: Any, axis: Any = None) -> Any:
    return made(np.flip(unwrapped(m), axis), [(m, lambda dy: np.flip(dy, axis))])


@_rule(np.concatenate)
def _concatenate(arrays: Any, axis: int = 0, **_: Any) -> Any:
    parts = [np.asarray(unwrapped(part)) for part in arrays]
    ends = np.cumsum([part.shape[axis] for part in parts])

    def part_of(i: int) -> Pull:
        first = ends[i] - parts[i].shape[axis]
        return lambda dy: np.take(dy, np.arange(first, ends[i]), axis)

    pulls = [(array, part_of(i)) for i, array in enumerate(arrays)]
    return made(np.concatenate(parts, axis), pulls)


@_rule(np.stack)
def _stack(arrays: Any, axis: int = 0, **_: Any) -> Any:
    return _concatenate([np.expand_dims(array, axis) for array in arrays], axis)


@_rule(np.where)
def _where(condition: Any, *choices: Any) -> Any:
    kept = np.asarray(unwrapped(condition))
    if not choices:
        return np.where(kept)
    a, b = choices
    result = np.where(kept, unwrapped(a), unwrapped(b))
    return made(result, [(a, lambda dy: dy * kept), (b, lambda dy: dy * ~kept.astype(bool))])


@_rule(np.clip)
def _clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **named: Any) -> Any:
    values = unwrapped(a)
    low, high = named.get("min", a_min), named.get("max", a_max)
    result = np.clip(values, unwrapped(low), unwrapped(high))
    return made(result, [(a, lambda dy: dy * (result == values))])


@_rule(np.dot)
def _dot(a: Any, b: Any, out: Any = None) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) > 2:
        raise NotImplementedError("numpy.dot: pyconv knows no gradient for more than 2 axes")
    return np.matmul(a, b)


@_rule(np.take)
def _take(a: Any, indices: Any, axis: Any = None, *args: Any, **_: Any) -> Any:
    if axis is None:
        return taken(_ravel(a), np.asarray(indices))
    return taken(a, (slice(None),) * (axis % np.ndim(a)) + (np.asarray(indices),))


@_rule(np.take_along_axis)
def _take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    chosen = np.asarray(unwrapped(indices))
    if axis is None:
        return taken(_ravel(arr), chosen)
    places = list(np.ix_(*(np.arange(n) for n in chosen.shape)))
    places[axis] = chosen
    return taken(arr, tuple(places))


@_rule(np.repeat)
def _repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    count = np.size(a) if axis is None else np.shape(a)[axis]
    return _take(a, np.repeat(np.arange(count), repeats), axis)


# Of the shape and the type alone, or of a comparison.
for _function in (
    np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argsort, np.ones_like, np.zeros_like,
    np.full_like, np.round, np.all, np.any, np.count_nonzero, np.isclose, np.array_equal,
    np.allclose,
):  # fmt: skip

    def _constant(*args: Any, _own: Any = _function, **kwargs: Any) -> Any:
        named = {name: unwrapped(value) for name, value in kwargs.items()}
        return _own(*map(unwrapped, args), **named)

    FUNCTIONS[_function] = _constant
