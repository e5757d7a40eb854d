"""Keras's functional API: what calling a layer on an ``Input`` gives."""

import operator
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyconv._types import Shape
from pyconv.compat._tensor_shape import TensorShape, dimensions
from pyconv.layers._merge import Merge
from pyconv.layers.input import InputLayer
from pyconv.layers.layer import Layer


class Tensor:
    """A result that is to be computed: the layer that gives it, and the tensors that it takes.

    Sums, differences and products of tensors, and with numbers, are layers too.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> (keras.Input((4,)) + 1.0).shape
        (None, 4)
    """

    sparse = ragged = False
    _keras_mask: Any = None
    other_use: Any = None  # the layer that does the work where ``layer`` does it elsewhere
    within: Any = (
        None  # the ``WiredCall`` of a model, or of a layer made of layers, that it is part of
    )

    def __init__(
        self, layer: Layer, inputs: Sequence["Tensor"] = (), is_output: bool = True
    ) -> None:
        self.layer = layer
        self.inputs = tuple(inputs)
        if self.inputs:
            shapes = [tensor.sizes for tensor in self.inputs]
            taken: Any = shapes if isinstance(layer, Merge) else shapes[0]
            self.sizes: Shape = layer.compute_output_shape(taken)
        else:
            self.sizes = layer.output_shape
        called: Any = layer
        known = [ref for ref in vars(layer).get("tensors", ()) if ref() is not None]
        called.tensors = [*known, Weak(self)]
        if is_output or not hasattr(layer, "output"):
            called.output = self
            called.input = self.inputs[0] if len(self.inputs) == 1 else list(self.inputs)

    @property
    def shape(self) -> TensorShape:
        """The sizes, with the methods that TensorFlow's shapes have."""
        return dimensions(self.sizes)

    @property
    def name(self) -> str:
        """The name of the layer that gives it."""
        return self.layer.name

    @property
    def dtype(self) -> str:
        """The type, as the layer's policy says."""
        return str(getattr(self.layer, "compute_dtype", "float32"))

    @property
    def ndim(self) -> int:
        """The number of axes, the batch's too."""
        return len(self.sizes)

    @property
    def _keras_shape(self) -> Shape:
        return self.sizes

    def get_shape(self) -> TensorShape:
        """Return the shape, as TensorFlow 1 has it."""
        return self.shape

    def __add__(self, other: Any) -> Any:
        return self._with(other, "Add", 1.0)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._with(other, "Subtract", -1.0)

    def __rsub__(self, other: Any) -> Any:
        if _has_axes(other) or self.ndim < 2:
            return self._made(np.subtract, other, self)
        return _called("Rescaling", self, -1.0, other)

    def __neg__(self) -> Any:
        if self.ndim < 2:
            return self._made(np.negative, self)
        return _called("Rescaling", self, -1.0)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Tensor):
            return self._with(other, "Multiply", 1.0)
        if _has_axes(other) or self.ndim < 2:
            return self._made(np.multiply, self, other)
        return _called("Rescaling", self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Tensor) or _has_axes(other) or self.ndim < 2:
            return self._made(np.divide, self, other)
        return _called("Rescaling", self, 1 / other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._made(np.divide, other, self)

    def __pow__(self, other: Any) -> Any:
        return self._made(np.power, self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._made(np.power, other, self)

    def __matmul__(self, other: Any) -> Any:
        return self._made(np.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self._made(np.matmul, other, self)

    def __abs__(self) -> Any:
        return self._made(np.abs, self)

    def __gt__(self, other: Any) -> Any:
        return self._made(np.greater, self, other)

    def __lt__(self, other: Any) -> Any:
        return self._made(np.less, self, other)

    def _with(self, other: Any, merge: str, sign: float) -> Any:
        # Losses may be single numbers, or have one for each row: layers are for rows of numbers.
        ranks = {t.ndim for t in (self, other) if isinstance(t, Tensor)}
        if _has_axes(other) or len(ranks) > 1 or self.ndim < 2:
            functions = {"Add": np.add, "Subtract": np.subtract, "Multiply": np.multiply}
            return self._made(functions[merge], self, other)
        if isinstance(other, Tensor):
            return _called(merge, [self, other])
        return _called("Rescaling", self, 1.0, sign * other)

    def activated(self, function: Any) -> Any:
        """Return the tensor of an ``Activation`` layer."""
        return _called("Activation", self, function)

    def __getitem__(self, key: Any) -> Any:
        return self._made(operator.getitem, self, key)

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"{self!r}: what is in a tensor is known once there are data")

    # --- functions of numpy's -------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            return NotImplemented
        kwargs.pop("out", None)
        if ufunc in _OPERATORS and not kwargs and not any(map(_has_axes, inputs)):
            return _OPERATORS[ufunc](*(x.item() if _is_number(x) else x for x in inputs))
        return self._made(ufunc, *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self._made(function, *args, **kwargs)

    def reshape(self, *shape: Any) -> Any:
        """Return the tensor of the elements in another shape."""
        return self._made(np.reshape, self, shape[0] if len(shape) == 1 else shape)

    def astype(self, dtype: Any) -> Any:
        """Return the tensor itself: all are computed in float32."""
        return self

    def set_shape(self, shape: Any) -> None:
        """Do nothing: a tensor has a shape."""

    @staticmethod
    def _made(function: Any, *args: Any, **kwargs: Any) -> Any:
        from pyconv.compat._operation import operation

        return operation(function, args, kwargs)

    def _reduced(name: str) -> Any:  # type: ignore[misc] # noqa: N805
        function = getattr(np, name)

        def run(self: "Tensor", axis: Any = None, keepdims: bool = False) -> Any:
            return self._made(function, self, axis=axis, keepdims=keepdims)

        run.__doc__ = f"Return the tensor of ``numpy.{name}``."
        return run

    max, mean, min, sum = map(_reduced, ("max", "mean", "min", "sum"))

    def __repr__(self) -> str:
        return f"<Tensor shape={self.shape}, of {self.layer.label}>"


class Weak:
    """Gives a tensor as long as there is one; copies give none."""

    def __init__(self, tensor: Tensor) -> None:
        self._ref: Any = weakref.ref(tensor)

    def __call__(self) -> Tensor | None:
        """Return the tensor or None."""
        found: Tensor | None = self._ref()
        return found

    def __reduce__(self) -> Any:
        return _no_tensor, ()


def _no_tensor() -> Weak:
    made = Weak.__new__(Weak)
    made._ref = lambda: None
    return made


class Output:
    """A layer's ``output``: its own until a model has the tensor, which then keeps it.

    Layer and tensor would else keep each other, and weights live on after their model.
    """

    def __get__(self, layer: Any, kind: Any = None) -> Any:
        """Return the tensor; AttributeError where there is none."""
        if layer is None:
            return self
        found = vars(layer).get("output")
        if isinstance(found, Weak):
            found = found()
        if found is None:
            raise AttributeError(
                f"{layer.label}: it has no output: it was not called on a tensor, or the model "
                "whose layer it was is no more"
            )
        return found

    def __set__(self, layer: Any, value: Any) -> None:
        vars(layer)["output"] = value


def keep_in_model(end: Tensor) -> None:
    """Have layers hold their outputs no more: a model holds ``end``, and so what it is made of."""
    waiting, seen = [end], {end}
    while waiting:
        tensor = waiting.pop()
        own = vars(tensor.layer)
        if own.get("output") is tensor and isinstance(
            getattr(type(tensor.layer), "output", None), Output
        ):
            own["output"] = Weak(tensor)
        fresh = [source for source in tensor.inputs if source not in seen]
        seen.update(fresh)
        waiting += fresh


def _has_axes(x: Any) -> bool:
    """Whether it is an array of several numbers."""
    return isinstance(x, np.ndarray) and x.ndim > 0


def _is_number(x: Any) -> bool:
    return isinstance(x, (np.generic, np.ndarray))


# For which tensors have layers.
_OPERATORS: dict[Any, Any] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.negative: operator.neg,
}


def tensors_of(x: Any) -> list[Tensor] | None:
    """Return the tensors of a call, None where it is of arrays."""
    given = x if isinstance(x, (list, tuple)) else [x]
    if not any(isinstance(part, (Tensor, InputLayer)) for part in given):
        return None
    return [tensor_of(part) for part in given]


def tensor_of(x: Any) -> Tensor:
    """Return the tensor that ``x`` is, or gives as an input."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, InputLayer):
        found: Any = vars(x).get("output")
        found = found() if isinstance(found, Weak) else found
        return found or Tensor(x)
    raise TypeError(f"keras.Model: wants what a layer's call on an Input gave, got {x!r:.60}")


def _called(name: str, x: Any, *args: Any) -> Tensor:
    """Return what a new layer of ``keras.layers`` gives."""
    from pyconv.compat.keras import layers

    result: Tensor = getattr(layers, name)(*args)(x)
    return result
