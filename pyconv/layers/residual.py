"""Layers around which their input is added to their result."""

from typing import Any

from pyconv import activations, backend
from pyconv._types import Array, Shape
from pyconv.layers._container import Container, configs
from pyconv.layers._norm_relu import takes_end
from pyconv.layers._path import Path


class Residual(Container):
    """``activation(f(x) + shortcut(x))``: f is a stack of layers, the shortcut x itself or layers.

    He et al., "Deep residual learning for image recognition", 2015.

    Args:
        layers: f, a list of layers.
        shortcut: a list of layers that give x the shape of f(x), such as a 1x1 convolution with
            the strides of f; None where it has that shape already.
        activation: a name such as ``"relu"``, a function of ``pyconv.activations``, or None.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any that the layers take.

    Output shape:
        That of f(x).

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: two layers have one name; or, where it is built, f and the shortcut have
            results of different shapes.

    Example:
        >>> import numpy as np, pyconv
        >>> from pyconv.layers import Conv2D, Residual
        >>> block = Residual(
        ...     [
        ...         Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        ...         Conv2D(16, 3, padding="same"),
        ...     ],
        ...     shortcut=[Conv2D(16, 1, strides=2)],
        ...     activation="relu",
        ... )
        >>> block(np.ones((1, 8, 8, 3), "float32")).shape
        (1, 4, 4, 16)
        >>> block.count_params()
        2832
    """

    def __init__(
        self, layers: Any, shortcut: Any = None, activation: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.activation = activations.find(self.label, activation)
        self._fused = "relu" if self.activation is activations.relu else "linear"
        self._has_shortcut = shortcut is not None
        self._main = Path(self, "layers", layers)
        self._shortcut = Path(self, "shortcut", [] if shortcut is None else shortcut)
        self._take(self._main, self._shortcut)
        self._y: Array | None = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of f(x), which that of the shortcut must be too."""
        shape = self._main.compute_output_shape(tuple(input_shape))
        other = self._shortcut.compute_output_shape(tuple(input_shape))
        if shape != other:
            what = "its shortcut gives" if self._shortcut.layers else "its input is"
            raise ValueError(
                f"{self.label}: its layers give {shape}, but {what} {other}; "
                f"{_fix(shape, other, bool(self._shortcut.layers))}"
            )
        return shape

    def forward(self, x: Array, training: bool) -> Array:
        """Return the activation of the sum."""
        other = self._shortcut.forward(x, training)
        if self._ends_in_norm():
            self._y = self._main.forward(x, training, activation=self._fused, addend=other)
            return self._y
        main = self._main.forward(x, training)
        y = backend.active.add_forward(main, other, self._fused, self._buffer("y", main.shape))
        self._y = y
        if self._fused == "relu":
            return y
        out = self._buffer("activated", y.shape) if self.activation.uses_input else y
        return self.activation.forward(y, out)

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill the layers' ``grads``; return the gradient of x where it is needed."""
        assert self._y is not None
        kept = self._buffer("dy", dy.shape)
        if self._ends_in_norm() and need_dx:
            # The normalization leaves the gradient of the sum in dy.
            dx, kept = self._main.backward(dy, need_dx, out=kept), dy
        else:
            dy = self.activation.backward(self._y, dy, dy)
            # The paths may write over what they are given.
            kept[...] = dy
            dx = self._main.backward(dy, need_dx)
        around = self._shortcut.backward(kept, need_dx)
        if not need_dx:
            return None
        assert dx is not None
        assert around is not None
        return backend.active.add_forward(dx, around, "linear", dx)

    def _ends_in_norm(self) -> bool:
        """Whether the last step of f is a normalization, whose pass does what is left to do."""
        steps = self._main.steps
        return bool(steps) and takes_end(steps[-1]) and self.activation.name in ("linear", "relu")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "layers": configs(self._main),
            "shortcut": configs(self._shortcut) if self._has_shortcut else None,
            "activation": activations.serialize(self.activation),
        }


def _fix(shape: Shape, other: Shape, has_shortcut: bool) -> str:
    """Return what makes ``other``, of the shortcut, into ``shape``."""
    there = "add it to the shortcut" if has_shortcut else "give it as the shortcut"
    if len(shape) == len(other) == 2:
        return f"{there}: Dense({shape[1]})"
    if len(shape) == len(other) == 4:
        strides = _stride(shape[1], other[1]), _stride(shape[2], other[2])
        if None not in strides:
            step = strides[0] if strides[0] == strides[1] else strides
            more = "" if step == 1 else f", strides={step}, padding='same'"
            return f"{there}: Conv2D({shape[3]}, 1{more})"
        return "with padding='same' convolutions keep height and width"
    return "the two must have one shape"


def _stride(size: int | None, other: int | None) -> int | None:
    """Return the least stride by which 'same' makes ``other`` cells ``size``, if there is one."""
    if size is None or other is None:
        return 1 if size is other else None
    return next((s for s in range(1, other + 1) if -(-other // s) == size), None)
