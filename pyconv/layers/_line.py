"""Layers of lines (N, L, C): a layer of images, on images of one row."""

from typing import Any

import numpy as np

from pyconv._types import Array, Shape
from pyconv.layers._arguments import spatial_shape
from pyconv.layers.layer import Layer


class Line(Layer):
    """A layer that leaves its work to one of images, its ``row``.

    The weights are its own, without the axis of the one row; the other sees them, and their
    gradients, as views.
    """

    row: Any

    def __init__(self, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_data_format(data_format)

    def _work_by(self, kind: type[Layer], **arguments: Any) -> None:
        """Have a layer of ``kind`` do the work; ``arguments`` are its own."""
        kind_of_row: Any = kind
        self.row = kind_of_row.__new__(kind)
        self.row.works_for = type(self).__name__
        self.row.__init__(**arguments, name=self.name)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the result, without the axis of the one row."""
        shape = self.row.compute_output_shape(self._as_row(input_shape))
        return (shape[0], *shape[2:]) if len(shape) == 4 else tuple(shape)

    def _as_row(self, shape: Shape) -> Shape:
        n, *rest = spatial_shape(self.label, shape, 1)
        return n, 1, *rest

    def flops(self, input_shape: Shape) -> int:
        """Return the multiplications and additions of ``forward``."""
        return int(self.row.flops(self._as_row(input_shape)))

    @property
    def ends_in_softmax(self) -> bool:
        """Whether the last step is a softmax."""
        return bool(self.row.ends_in_softmax) and self.activity_regularizer is None

    def _create_weights(self, input_shape: Shape) -> None:
        row = self.row
        row.unbuild()
        row.build(self._as_row(input_shape))
        for name, weight in row._weights.items():
            first: Any = _Given(weight)
            self._add_weight(
                name,
                weight.shape[1:] if weight.ndim == 4 else weight.shape,
                first,
                row.weight_regularizers.get(name),
                row.weight_constraints.get(name),
            )

    def _share(self) -> Any:
        """Give the row the weights as they are now; return it."""
        row = self.row
        row.trainable = self.trainable
        for name, weight in self._weights.items():
            row._weights[name] = _with_row(weight)
        return row

    def forward(self, x: Array, training: bool, **options: Any) -> Array:
        """Return the layer's result."""
        n, *rest = x.shape
        y: Array = self._share().forward(x.reshape(n, 1, *rest), training, **options)
        return y.reshape(n, *y.shape[2:]) if y.ndim == 4 else y

    def backward(self, dy: Array, need_dx: bool, **options: Any) -> Array | None:
        """Fill ``grads``; return the gradient of x (N, L, C) where it is needed."""
        row = self._share()
        row._grads = [_with_row(grad) for grad in self.grads]
        n, *rest = dy.shape
        dx = row.backward(dy.reshape(n, 1, *rest) if dy.ndim == 3 else dy, need_dx, **options)
        return None if dx is None else dx.reshape(n, *dx.shape[2:])

    def unbuild(self) -> None:
        """Forget the weights and the shapes, as before ``build``."""
        super().unbuild()
        self.row.unbuild()


class _Given:
    """An initializer of values that there are already."""

    def __init__(self, values: Array) -> None:
        self._values = values

    def __call__(self, shape: tuple[int, ...]) -> Array:
        return np.asarray(self._values).reshape(shape)


def _with_row(weight: Array) -> Array:
    """Return a kernel with the axis of the one row; a bias as it is."""
    return weight.reshape(1, *weight.shape) if weight.ndim == 3 else weight
