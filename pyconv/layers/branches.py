"""Layers side by side, whose results are put together."""

from typing import Any

from pyconv import backend
from pyconv._args import is_one_of, shown
from pyconv._types import Array, Shape
from pyconv.layers._container import Container, configs
from pyconv.layers._path import Path


class Branches(Container):
    """Stacks of layers that all take the same input, and whose results are put together.

    Szegedy et al., "Going deeper with convolutions", 2014, made GoogLeNet of such blocks.

    Args:
        branches: a list of lists of layers; an empty one passes its input on.
        merge: ``"concat"`` puts the results side by side along the last axis, the channels;
            ``"add"`` adds them.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any that the layers take.

    Output shape:
        That of each branch; of ``"concat"`` the last axis is as long as those of all together.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: there is no branch, ``merge`` is not known, or two layers have one name; or,
            where it is built, the branches have results that do not fit together.

    Example:
        >>> import numpy as np, pyconv
        >>> from pyconv.layers import Branches, Conv2D, MaxPooling2D
        >>> block = Branches(
        ...     [
        ...         [Conv2D(4, 1)],
        ...         [Conv2D(2, 1), Conv2D(6, 3, padding="same")],
        ...         [MaxPooling2D(3, 1, padding="same")],
        ...     ]
        ... )
        >>> block(np.ones((1, 8, 8, 5), "float32")).shape
        (1, 8, 8, 15)
    """

    def __init__(self, branches: Any, merge: str = "concat", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(branches, (list, tuple)):
            raise TypeError(
                f"{self.label}: branches must be a list of lists of layers, got {shown(branches)}"
            )
        if not branches:
            raise ValueError(f"{self.label}: branches must hold at least one list of layers")
        if not is_one_of(merge, ("concat", "add")):
            raise ValueError(f"{self.label}: merge must be 'concat' or 'add', got {shown(merge)}")
        self.merge = merge
        self._take(*(Path(self, f"branches[{i}]", layers) for i, layers in enumerate(branches)))
        self._shapes: list[tuple[int, ...]] = []

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the branches' results together."""
        shapes = [path.compute_output_shape(tuple(input_shape)) for path in self._paths]
        first, concat = shapes[0], self.merge == "concat"
        for i, shape in enumerate(shapes):
            fits = len(shape) == len(first) and shape[:-1] == first[:-1] if concat else (
                shape == first
            )  # fmt: skip
            if not fits or (concat and (len(shape) < 2 or shape[-1] is None)):
                wanted = "in their last axis alone, of a known size" if concat else "in nothing"
                raise ValueError(
                    f"{self.label}: results may differ {wanted}, but branch 0 gives {first} and "
                    f"branch {i} {shape}; {self._fix(first, shape)}"
                )
        return (*first[:-1], sum(shape[-1] or 0 for shape in shapes)) if concat else first

    def _fix(self, first: Shape, shape: Shape) -> str:
        if len(first) == len(shape) == 4 and first[1:3] != shape[1:3]:
            return "padding='same' and the same strides in all branches give one height and width"
        if self.merge == "add" and first[:-1] == shape[:-1]:
            return "end each branch with as many filters, or use merge='concat'"
        return "give all branches results of as many axes"

    def forward(self, x: Array, training: bool) -> Array:
        """Return the branches' results together."""
        results = [path.forward(x, training) for path in self._paths]
        self._shapes = [y.shape for y in results]
        if self.merge == "concat":
            channels = sum(shape[-1] for shape in self._shapes)
            out = self._buffer("y", (*self._shapes[0][:-1], channels))
            return backend.active.concat_forward(results, out)
        total, *others = results
        for y in others:
            total = backend.active.add_forward(total, y, "linear", self._buffer("y", y.shape))
        return total

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill the layers' ``grads``; return the gradient of x where it is needed."""
        parts = [self._buffer(f"dy {i}", shape) for i, shape in enumerate(self._shapes)]
        if self.merge == "concat":
            backend.active.concat_backward(dy, parts)
        else:
            # A branch may write over what it is given.
            parts[0] = dy
            for part in parts[1:]:
                part[...] = dy
        total: Array | None = None
        for path, part in zip(self._paths, parts, strict=True):
            dx = path.backward(part, need_dx)
            if total is None:
                total = dx
            elif dx is not None:
                backend.active.add_forward(total, dx, "linear", total)
        return total

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "branches": [configs(path) for path in self._paths],
            "merge": self.merge,
        }
