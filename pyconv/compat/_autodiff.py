"""Arrays that remember how they were computed, so that gradients can be taken.

For what Keras leaves to automatic differentiation: layers, losses and training steps of the user's
own. Networks themselves do without: their layers know their gradients.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.compat._eager import EagerArray

# (gradient of the result) to that of a source, of any shape that is broadcast to it.
Pull = Callable[[NDArray[Any]], Any]


class Node:
    """A result: what it was computed from, and how its gradient goes back there."""

    def __init__(self, shape: tuple[int, ...], sources: Sequence[tuple["Node", Pull]] = ()) -> None:
        self.shape = shape
        self.sources = sources

    def arrived(self, gradient: NDArray[Any]) -> None:
        """Take up the whole gradient of the result."""


_INSTEAD = "use other functions of keras.ops, or give the layer a backward(dy, need_dx)"


class _Lost(Node):
    """The result of something whose gradient is not known here."""

    def __init__(self, what: str, instead: str = _INSTEAD) -> None:
        super().__init__(())
        self.what, self.instead = what, instead

    def arrived(self, gradient: NDArray[Any]) -> None:
        """Say that the gradient ends here; one of zeros may, as that of a sign is."""
        if np.any(gradient):
            raise NotImplementedError(
                f"{self.what}: pyconv does not know its gradient; {self.instead}"
            )


class Taped(EagerArray):
    """An array whose gradient can be taken; ``node`` is None for one that is a constant.

    numpy's functions and operators on it give such arrays.
    """

    node: Node | None = None
    source: Any = None  # the parameter that it is the value of

    def __getattr__(self, name: str) -> Any:
        """Return what a parameter is asked for, such as its name."""
        source = vars(self).get("source")
        if source is None or name.startswith("__"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(source, name)

    def __array_finalize__(self, obj: Any) -> None:
        """Have no history: what numpy makes of the array by itself has no known gradient."""
        if isinstance(obj, Taped) and obj.node is not None:
            self.node = _Lost("a method of an array")

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        from pyconv.compat._derivatives import UFUNCS

        # Changes in place give a new array, which the operator assigns.
        plain = [unwrapped(x) for x in inputs]
        result = getattr(ufunc, method)(*plain, **kwargs)
        rule = UFUNCS.get(ufunc) if method == "__call__" and not kwargs else None
        if rule is None or isinstance(result, tuple):
            name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
            return lost(f"numpy.{name}", result)
        pulls = rule(result, *plain)
        return made(result, zip(inputs, pulls, strict=True))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from pyconv.compat._derivatives import FUNCTIONS

        rule = FUNCTIONS.get(func)
        if rule is not None:
            return rule(*args, **kwargs)
        named = {name: unwrapped(value) for name, value in kwargs.items()}
        return lost(f"numpy.{func.__name__}", func(*map(unwrapped, args), **named))

    def __getitem__(self, key: Any) -> Any:
        from pyconv.compat._derivatives import taken

        return taken(self, unwrapped(key))

    def activated(self, function: Any) -> Any:
        """Return what an activation function makes of the array."""
        x = np.ascontiguousarray(unwrapped(self), np.float32)
        y = function.forward(x.copy(), np.empty_like(x))
        kept = x if function.uses_input else y.copy()

        def pull(dy: NDArray[Any]) -> Any:
            return function.backward(kept, np.ascontiguousarray(dy, np.float32), np.empty_like(x))

        return made(y, [(self, pull)])

    @property
    def T(self) -> Any:  # noqa: N802
        """The array with its axes in the other order."""
        return np.transpose(self)


def _method(name: str) -> Any:
    function = getattr(np, name)

    def run(self: Taped, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    run.__name__ = name
    run.__doc__ = f"Return ``numpy.{name}`` of the array."
    return run


for _name in ("clip", "max", "mean", "min", "prod", "ravel", "squeeze", "std", "sum", "swapaxes",
              "var", "dot"):  # fmt: skip
    setattr(Taped, _name, _method(_name))


def _reshape(self: Taped, *shape: Any, **kwargs: Any) -> Any:
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    return np.reshape(self, sizes)


def _transpose(self: Taped, *axes: Any) -> Any:
    order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
    return np.transpose(self, order or None)


def _astype(self: Taped, dtype: Any, *args: Any, **kwargs: Any) -> Any:
    values = unwrapped(self).astype(dtype)
    return made(values, [(self, lambda dy: dy)]) if values.dtype.kind == "f" else values


Taped.reshape = _reshape  # type: ignore[method-assign, assignment]
Taped.transpose = _transpose  # type: ignore[method-assign, assignment]
Taped.astype = _astype  # type: ignore[method-assign, assignment]
Taped.flatten = Taped.ravel  # type: ignore[method-assign]


def watched(x: Any) -> Taped:
    """Return an array, which shares the values, by which gradients are to be taken."""
    array = np.asarray(x).view(Taped)
    array.node = Node(array.shape)
    return array


def made(values: Any, sources: Iterable[tuple[Any, Pull | None]]) -> Any:
    """Return a result with its history: each source with how the gradient goes back to it.

    Sources that are constants, and those without a ``Pull``, are left out.
    """
    result = np.asarray(values).view(Taped)
    known = [
        (x.node, pull)
        for x, pull in sources
        if pull is not None and isinstance(x, Taped) and x.node is not None
    ]
    if known:
        result.node = Node(result.shape, known)
    return result


def lost(what: str, result: Any, instead: str = _INSTEAD) -> Any:
    """Return the result of something without a known gradient; numbers that have none as such.

    ``instead`` is what an error tells to do.
    """
    if isinstance(result, (tuple, list)):
        return type(result)(lost(what, part, instead) for part in result)
    if not isinstance(result, (np.ndarray, np.generic)):
        return result
    array = np.asarray(result)
    if array.dtype.kind != "f":
        return array.view(EagerArray)
    taped = array.view(Taped)
    taped.node = _Lost(what, instead)
    taped.node.shape = array.shape
    return taped


def unwrapped(x: Any) -> Any:
    """Return the plain array of a ``Taped`` one, also in lists and tuples."""
    if isinstance(x, Taped):
        return x.view(np.ndarray)
    if isinstance(x, (list, tuple)) and any(isinstance(part, (Taped, list, tuple)) for part in x):
        return type(x)(unwrapped(part) for part in x)
    return x


def pull_back(end: Node, gradient: Any) -> dict[Node, NDArray[Any]]:
    """Return the gradients of all that a result was computed from, by its own.

    Raises:
        NotImplementedError: a gradient on the way is not known.
    """
    found: dict[Node, NDArray[Any]] = {end: np.broadcast_to(np.asarray(gradient), end.shape)}
    for node in _from_the_end(end):
        whole = found.get(node)
        if whole is None:
            continue
        node.arrived(whole)
        for source, pull in node.sources:
            part = _summed(np.asarray(pull(whole)), source.shape)
            found[source] = found[source] + part if source in found else part
    return found


def _from_the_end(end: Node) -> list[Node]:
    """Return the nodes, each before what it was computed from."""
    finished: list[Node] = []
    seen: set[Node] = set()
    waiting = [(end, False)]
    while waiting:
        node, is_done = waiting.pop()
        if is_done:
            finished.append(node)
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            waiting += [(source, False) for source, _ in node.sources]
    return finished[::-1]


def _summed(gradient: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the gradient of what was broadcast from ``shape``."""
    if gradient.shape == shape:
        return gradient
    more = gradient.ndim - len(shape)
    if more > 0:
        gradient = gradient.sum(axis=tuple(range(more)))
    ones = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    if ones:
        gradient = gradient.sum(axis=ones, keepdims=True)
    return np.broadcast_to(gradient, shape)
