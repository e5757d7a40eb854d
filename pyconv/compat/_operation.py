"""Functions of numpy's on the tensors of a functional model: each is a layer without weights."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from pyconv import backend
from pyconv._types import Array, Shape
from pyconv.compat._autodiff import Taped, pull_back, unwrapped, watched
from pyconv.compat._eager import eager
from pyconv.layers._merge import Merge

_OF_SHAPES: dict[Any, Any] = {np.shape: lambda x: x.sizes, np.ndim: lambda x: x.ndim}
# Where None in a list or tuple stands for the size of the batch.
_TAKE_SHAPES = (np.reshape, np.broadcast_to, np.tile)


class Operation(Merge):
    """What a function makes of a list of arrays.

    Args:
        function: called with the list.
        **kwargs: ``name`` of ``Layer``.
    """

    def __init__(self, function: Callable[[list[Any]], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function
        self._recorded: Any = None

    def _merged_shape(self, shapes: list[Shape]) -> Shape:
        return shape_of(self.function, shapes)

    def _merge(self, xs: list[Array]) -> Array:
        self._recorded = recorded(self.function, xs)
        values = np.asarray(unwrapped(self._recorded[1]), np.float32, order="C")
        result: Array = backend.on_device(values)
        return result

    def _split(self, dy: Array) -> list[Array]:
        inputs, y = self._recorded
        return gradients(inputs, y, dy)

    def get_config(self) -> NoReturn:
        """Raise an error: a function cannot be written down.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            f"{self.label}: a function of tensors cannot be written to a file or copied; "
            "save_weights writes the weights, and layers have a configuration"
        )


def operation(function: Callable[..., Any], args: Sequence[Any], kwargs: Any) -> Any:
    """Return the tensor of a function of arrays, for tensors among its arguments.

    Args:
        function: numpy's, or one that is made of those.
        args: its arguments; tensors may be in lists, tuples and dicts.
        kwargs: the same by name.
    """
    from pyconv.compat._tensor import Tensor

    if function in _OF_SHAPES:
        return _OF_SHAPES[function](args[0])
    tensors: list[Any] = []
    takes_shapes = function in _TAKE_SHAPES

    def place(tree: Any) -> Callable[[list[Any]], Any]:
        """Return what gives an argument for the arrays of the tensors."""
        if isinstance(tree, Tensor):
            known = [i for i, other in enumerate(tensors) if other is tree]
            if not known:
                tensors.append(tree)
            at = known[0] if known else len(tensors) - 1
            return lambda xs: xs[at]
        if type(tree) in (list, tuple):
            kind = type(tree)
            if takes_shapes and None in tree:
                return lambda xs: kind(len(xs[0]) if part is None else part for part in tree)
            parts = [place(part) for part in tree]
            return lambda xs: kind(part(xs) for part in parts)
        if type(tree) is dict:
            named = {name: place(part) for name, part in tree.items()}
            return lambda xs: {name: part(xs) for name, part in named.items()}
        return lambda xs: tree

    places = [place(arg) for arg in args]
    named = {name: place(arg) for name, arg in kwargs.items()}

    def run(xs: list[Any]) -> Any:
        return function(*(one(xs) for one in places), **{n: one(xs) for n, one in named.items()})

    layer = Operation(run)
    shapes: Any = [tensor.sizes for tensor in tensors]
    layer.build(shapes)
    return Tensor(layer, tensors)


def recorded(function: Callable[..., Any], xs: Sequence[Any]) -> tuple[list[Taped], Any]:
    """Return the arrays as the function is given them, in a list, and its result."""
    inputs = [watched(np.asarray(x)) for x in xs]
    return inputs, function(list(inputs))


def gradients(inputs: Sequence[Taped], y: Any, dy: Any) -> list[Array]:
    """Return the gradients of arrays from that of what a function made of them."""
    found: dict[Any, Any] = {}
    if isinstance(y, Taped) and y.node is not None:
        found = pull_back(y.node, np.asarray(dy))
    result = []
    for x in inputs:
        part = found.get(x.node)
        whole = np.zeros(x.shape, np.float32)
        if part is not None:
            whole[...] = part
        result.append(backend.on_device(whole))
    return result


def _shape_for(
    function: Callable[[list[Any]], Any], shapes: Sequence[Shape], batch: int
) -> tuple[int, ...]:
    """Return the shape of the result for a batch of this size."""
    arrays = [
        eager(np.zeros([batch if n is None else n for n in shape], np.float32)) for shape in shapes
    ]
    with np.errstate(all="ignore"):
        return np.shape(unwrapped(function(arrays)))


def shape_of(function: Callable[[list[Any]], Any], shapes: Sequence[Shape]) -> Shape:
    """Return the shape of what a function makes of arrays of these shapes, None for any batch."""
    found = []
    firsts = {shape[0] for shape in shapes if shape} - {None}
    if len(firsts) == 1:  # a layer of the user's own may say None where the batch is known
        known = firsts.pop()
        shapes = [(known, *shape[1:]) if shape[:1] == (None,) else shape for shape in shapes]
    for batch in (2, 3):
        try:
            found.append(_shape_for(function, shapes, batch))
        except ValueError:  # of a size of the batch that the function has within
            sizes = _shape_for(function, shapes, 1)
            return (None, *sizes[1:])
    if len(found[0]) != len(found[1]):
        raise ValueError(f"the number of axes depends on the batch: {found[0]}, {found[1]}")
    return tuple(a if a == b else None for a, b in zip(*found, strict=True))
