"""What an activation function is."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._convert import float32_array
from pyconv._types import Array

_BLOCK = 1 << 14  # floats that stay in a cache from one of numpy's passes to the next


class ActivationFunction:
    """A function of an array with its gradient; layers know it by its name.

    Called with more arguments it is another member of its family: ``elu(x, alpha=0.5)``.

    Example:
        >>> import numpy as np, pyconv
        >>> class Square(pyconv.activations.ActivationFunction):
        ...     name = "square"
        ...     uses_input = True
        ...     def forward(self, x, out):
        ...         return np.square(x, out=out)
        ...     def backward(self, kept, dy, out):
        ...         return np.multiply(dy, 2 * kept, out=out)
        >>> pyconv.layers.Activation(Square())([[3.0]])
        array([[9.]], dtype=float32)
    """

    name: str
    # Whether the gradient follows from the function's input; else from its result alone, so that
    # layers need not keep the input.
    uses_input = False

    def forward(self, x: Array, out: Array) -> Array:
        """Return the activation of ``x``, written to ``out``, which may be ``x``."""
        raise NotImplementedError

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        """Return the gradient of the input, written to ``out``, which may be ``dy``.

        ``kept`` is what ``forward`` returned, or was given where ``uses_input``; ``dy`` is the
        gradient of its result.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it another member of its family."""
        return {}

    def variant(self, *arguments: Any, **named: Any) -> "ActivationFunction":
        """Return the member of its family with these arguments."""
        return type(self)(*arguments, **named)

    def __call__(self, x: Any, *arguments: Any, **named: Any) -> Array:
        if arguments or named:
            return self.variant(*arguments, **named)(x)
        if hasattr(x, "activated"):  # stands for an array
            return x.activated(self)  # type: ignore[no-any-return]
        array = backend.on_device(float32_array(f"activations.{self.name}", "x", x).copy())
        return np.asarray(self.forward(array, array))

    def __repr__(self) -> str:
        return f"<activation {self.name}>"


class Elementwise(ActivationFunction):
    """A function of each number by itself, from formulas of its value and its slope."""

    uses_input = True

    def value(self, x: Array) -> Any:
        """Return the function of an array."""
        raise NotImplementedError

    def slope(self, x: Array) -> Any:
        """Return its derivative."""
        raise NotImplementedError

    def forward(self, x: Array, out: Array) -> Array:
        """Return the activation of ``x``, written to ``out``, which may be ``x``."""
        _by_blocks(self.value, out, x)
        return out

    def backward(self, kept: Array, dy: Array, out: Array) -> Array:
        """Return the gradient of the input, written to ``out``, which may be ``dy``."""
        _by_blocks(lambda x, grad: grad * self.slope(x), out, kept, dy)
        return out


class Custom(Elementwise):
    """A function of the user's own, of each number by itself; its slope is taken by differences."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)
        self._checked = False

    def value(self, x: Array) -> Any:
        """Return the function of an array."""
        y = np.asarray(self.function(x))
        if y.shape != x.shape:
            raise ValueError(
                f"activation {self.name!r}: it must return the shape of its input, {x.shape}, got "
                f"{y.shape}"
            )
        if not self._checked and x.size > 1:
            self._check(x, y)
        return y

    def slope(self, x: Array) -> Any:
        """Return its derivative."""
        wide = np.asarray(x, np.float64)
        step = 1e-5 * np.maximum(1, np.abs(wide))
        above = np.asarray(self.function(wide + step), np.float64)
        below = np.asarray(self.function(wide - step), np.float64)
        return np.asarray((above - below) / (2 * step), np.float32)

    def _check(self, x: Array, y: Any) -> None:
        alone = np.asarray(self.function(x[:1]))
        if not np.allclose(alone, y[:1], 1e-5, 1e-6, equal_nan=True):
            raise ValueError(
                f"activation {self.name!r}: a function of your own must treat each number by "
                "itself; make one that does not an ActivationFunction with forward and backward"
            )
        self._checked = True


def _by_blocks(function: Callable[..., Any], out: Array, *arrays: Array) -> None:
    """Write ``function`` of the arrays to ``out``, part by part."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if not isinstance(out, np.ndarray):
            out[...] = np.asarray(function(*map(np.asarray, arrays)), np.float32)
            return
        for target, *parts in _blocks(out, *arrays):
            target[...] = function(*parts)


def _blocks(*arrays: Array) -> Iterator[list[Array]]:
    flat = [a.reshape(-1) for a in arrays]
    for at in range(0, flat[0].size, _BLOCK):
        yield [a[at : at + _BLOCK] for a in flat]
