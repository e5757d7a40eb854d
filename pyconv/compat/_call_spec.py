"""The arguments of a call of a layer of the user's own."""

import inspect
from functools import cache
from typing import Any

from pyconv.compat._tensor import Tensor
from pyconv.compat._trees import leaves, mapped
from pyconv.layers.input import InputLayer

_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@cache
def parameters(function: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters of a method by name, without ``self``."""
    found = list(inspect.signature(function).parameters.values())[1:]
    return {parameter.name: parameter for parameter in found}


def is_array(x: Any) -> bool:
    """Whether ``x`` is an array, or stands for one."""
    return isinstance(x, (Tensor, InputLayer)) or hasattr(x, "__array__")


class CallSpec:
    """What a layer's ``call`` is given, by name.

    Args:
        layer: the layer.
        args: what it is given by place.
        kwargs: and by name.

    Raises:
        TypeError: they do not fit the method's signature.
        ValueError: something else than an array is given by place.
    """

    def __init__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        taken = parameters(type(layer).call)
        for value in args:
            wrong = [leaf for leaf in leaves(value) if not is_array(leaf) and leaf is not None]
            if wrong and not _is_list_of_numbers(value):
                raise ValueError(
                    f"{layer.label}: Only input tensors may be passed as positional arguments. The "
                    f"following argument value should be passed as a keyword argument: "
                    f"{wrong[0]!r:.60} (of type {type(wrong[0]).__name__})"
                )
        bound = inspect.signature(layer.call).bind(*args, **kwargs)
        self.parameters = taken
        self.arguments: dict[str, Any] = {}
        self._many: tuple[Any, ...] = ()
        self._named: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            if taken[name].kind is inspect.Parameter.VAR_POSITIONAL:
                self._many = value
            elif taken[name].kind is inspect.Parameter.VAR_KEYWORD:
                self._named = value
            else:
                self.arguments[name] = value

    @property
    def arrays(self) -> dict[str, Any]:
        """The arguments that hold arrays."""
        return {
            name: value
            for name, value in self.arguments.items()
            if any(is_array(leaf) for leaf in leaves(value))
        }

    @property
    def first(self) -> Any:
        """The first argument."""
        found = [*self.arguments.values(), *self._many]
        return found[0] if found else None

    def convert(self, function: Any) -> None:
        """Put what a function makes of each array in its place."""

        def converted(leaf: Any) -> Any:
            return function(leaf) if hasattr(leaf, "__array__") else leaf

        self.arguments = {name: mapped(converted, v) for name, v in self.arguments.items()}
        self._many = tuple(mapped(converted, value) for value in self._many)
        self._named = {name: mapped(converted, v) for name, v in self._named.items()}

    def others(self) -> bool:
        """Whether there are arguments that the method does not name."""
        return bool(self._many or self._named)

    def run(self, call: Any) -> Any:
        """Return what the method gives."""
        if not self._many:
            return call(**self.arguments, **self._named)
        return call(*self.arguments.values(), *self._many, **self._named)

    def shapes(self, layer: Any, build: Any) -> dict[str, Any]:
        """Return the shapes that a layer's ``build`` wants, by the names of its arguments.

        Raises:
            ValueError: the names of the arguments do not fit those of ``call``.
        """
        wanted = {n: p for n, p in parameters(build).items() if p.kind not in _MANY}
        arrays = self.arrays
        if len(wanted) <= 1:
            first = next(iter(arrays.values()), None)
            return {name: shape_of(first) for name in wanted}
        found = {}
        for name, parameter in wanted.items():
            argument = name.removesuffix("_shape")
            problem = None
            if argument == name:
                problem = f"argument `{name}`, which does not end in `_shape`"
            elif argument not in self.parameters:
                problem = f"`{name}`, but `call()` does not have argument `{argument}`"
            if problem:
                raise ValueError(
                    f"{layer.label}: For a `build()` method with more than one argument, all "
                    "arguments should have a `_shape` suffix and match an argument from `call()`. "
                    "E.g. `build(self, foo_shape, bar_shape)`. For layer "
                    f"'{type(layer).__name__}', received `build()` {problem}."
                )
            if argument in arrays:
                found[name] = shape_of(arrays[argument])
            elif parameter.default is inspect.Parameter.empty:
                found[name] = None
        return found


def shape_of(value: Any) -> Any:
    """Return the shape of an array; of lists, tuples and dicts of arrays those of each."""
    if isinstance(value, InputLayer):
        return value.output_shape

    def shape(leaf: Any) -> Any:
        return tuple(leaf.shape) if is_array(leaf) else None

    return mapped(shape, value)


def _is_list_of_numbers(value: Any) -> bool:
    """Whether it is an array written as lists."""
    return isinstance(value, (list, tuple)) and all(
        isinstance(leaf, (int, float)) and not isinstance(leaf, bool) for leaf in leaves(value)
    )
