"""Layers in a row inside of a layer: what a branch of a network is."""

from typing import Any

from pyconv import _derived
from pyconv._spans import SpannedStep, recorded
from pyconv._types import Array, Shape
from pyconv.layers._joined import joined
from pyconv.layers._penalties import penalized
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer


class Path:
    """Layers, each taking the result of the one before; with none it passes its input on.

    Args:
        owner: the layer that holds the path.
        argument: its argument that holds the layers.
        layers: a list of layers.
    """

    def __init__(self, owner: Layer, argument: str, layers: Any) -> None:
        if not isinstance(layers, (list, tuple)):
            raise TypeError(
                f"{owner.label}: {argument} must be a list of layers, got a {type(layers).__name__}"
            )
        for layer in layers:
            if not isinstance(layer, Layer) or isinstance(layer, InputLayer):
                got = "an Input" if isinstance(layer, Layer) else f"a {type(layer).__name__}"
                raise TypeError(f"{owner.label}: {argument} must hold layers only, got {got}")
        self.layers: list[Layer] = list(layers)
        self._within = f"{owner.name}/"
        self._made: list[Any] | None = None
        self._made_at = 0
        self._spanned: list[Any] = []

    def compute_output_shape(self, shape: Shape) -> Shape:
        """Return the shape that an input of ``shape`` gives."""
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def build(self, shape: Shape) -> None:
        """Build the layers for an input of ``shape``."""
        for layer in self.layers:
            layer.build(shape)
            shape = layer.output_shape

    def flops(self, shape: Shape) -> int:
        """Return the multiplications and additions of ``forward``."""
        count = 0
        for layer in self.layers:
            count += layer.flops(shape)
            shape = layer.compute_output_shape(shape)
        return count

    @property
    def steps(self) -> list[Any]:
        """The layers, those that are faster together as one step."""
        if self._made is None or self._made_at != _derived.changes:
            self._made_at = _derived.changes
            self._made = penalized(joined(self.layers))
            self._spanned = [SpannedStep(step, self._within) for step in self._made]
        return self._made

    def forward(self, x: Array, training: bool, **of_last: Any) -> Array:
        """Return the result: a buffer of the last layer, or ``x`` itself.

        ``of_last`` are more arguments of the last step's ``forward``.
        """
        *steps, last = self._running() or [None]
        for step in steps:
            x = step.forward(x, training)
        return x if last is None else last.forward(x, training, **of_last)

    def backward(self, dy: Array, need_dx: bool, **of_last: Any) -> Array | None:
        """Fill the layers' ``grads``; return the gradient of the input where it is needed.

        ``dy`` may be overwritten, and the result may be ``dy`` itself. ``of_last`` are more
        arguments of the last step's ``backward``.
        """
        steps = self._running()
        last = 0
        if not need_dx:
            learn = (i for i, step in enumerate(steps) if step.learns)
            last = next(learn, len(steps))
        grad: Array | None = dy
        for i in range(len(steps) - 1, last - 1, -1):
            grad = steps[i].backward(grad, need_dx or i > last, **of_last)
            of_last = {}
        return grad if need_dx else None

    def _running(self) -> list[Any]:
        steps = self.steps
        return self._spanned if recorded() else steps
