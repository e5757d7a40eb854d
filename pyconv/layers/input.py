"""The shape of a model's input."""

from typing import Any

from pyconv._args import int_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import shape_arg
from pyconv.layers.layer import Layer


class InputLayer(Layer):
    """Says which shape a model takes, so that it is built at once; it computes nothing.

    Args:
        shape: the shape of one sample, None where any size will do: ``(32, 32, 3)``.
        batch_size: the size of the batch; only shown.
        dtype: None or ``"float32"``. Models take any array of numbers and convert it.
        batch_shape: in place of both, the shape with the batch first.
        **kwargs: ``name`` of ``Layer``; ``input_shape`` is the same as ``shape``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: a size is below 1, or the shape is given twice or not at all.

    Example:
        >>> import pyconv
        >>> pyconv.layers.InputLayer((32, 32, 3)).output_shape
        (None, 32, 32, 3)
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        batch_shape: Any = None,
        **kwargs: Any,
    ) -> None:
        kinds = {kind: kwargs.pop(kind, None) for kind in ("sparse", "ragged")}
        super().__init__(dtype=dtype, **kwargs)
        self.sparse = self.ragged = False
        for kind, wanted in kinds.items():
            if wanted:
                raise ValueError(f"{self.label}: `{kind}=True` is not supported; inputs are dense")
        if shape is None and self.declared_shape is not None:
            shape = self.declared_shape[1:]
        if shape is None and batch_shape is None:
            raise ValueError(
                f"{self.label}: give shape, the shape of one sample, or batch_shape. In Keras's "
                "words: You must pass a `shape` argument."
            )
        if batch_shape is not None and (shape is not None or batch_size is not None):
            given = "shape" if shape is not None else "batch_size"
            raise ValueError(
                f"{self.label}: You cannot pass both `{given}` and `batch_shape` at the same time; "
                "batch_shape has the batch first"
            )
        if shape is not None:
            batch = None if batch_size is None else int_arg(self.label, "batch_size", batch_size)
            self.batch_shape: Shape = (batch, *shape_arg(self.label, "shape", shape))
        else:
            self.batch_shape = shape_arg(self.label, "batch_shape", batch_shape)
            if not self.batch_shape:
                raise ValueError(f"{self.label}: batch_shape must have a batch axis, got ()")
        self.build(self.batch_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        return tuple(input_shape)

    def forward(self, x: Array, training: bool) -> Array:
        """Return x."""
        return x

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Return dy."""
        return dy if need_dx else None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"batch_shape": self.batch_shape, "dtype": self.dtype, "name": self.name}


def Input(  # noqa: N802
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
) -> InputLayer:
    """Return the first entry of a ``Sequential``: the shape of its input.

    Args:
        shape: the shape of one sample, None where any size will do: ``(32, 32, 3)``.
        batch_size: the size of the batch; only shown.
        dtype: None or ``"float32"``.
        batch_shape: in place of both, the shape with the batch first.
        name: the layer's name.

    Raises:
        TypeError, ValueError: as ``InputLayer``.

    Example:
        >>> import pyconv
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2)])
        >>> model.output_shape
        (None, 2)
    """
    return InputLayer(shape, batch_size, dtype, batch_shape, name=name)
