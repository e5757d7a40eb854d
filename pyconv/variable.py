"""Variables: arrays that have a name and can be assigned to, as Keras's are."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets

__all__ = ["Variable"]


class Variable(np.ndarray[Any, Any]):
    """An array with ``assign`` and a name, for metrics and optimizers of one's own.

    What is computed from it is a plain numpy array.

    Args:
        initializer: the values, or a function (such as an ``Initializer``) that makes them from
            a shape.
        shape: the shape, where ``initializer`` is a function.
        dtype: type of the values; None for float32, or int64 where whole numbers are given.
        trainable: whether training is to change it.
        name: its name.

    Raises:
        ValueError: ``initializer`` is a function and ``shape`` is not given.

    Example:
        >>> import pyconv
        >>> total = pyconv.variable.Variable(2.0, name="total")
        >>> total.assign_add(1.0)
        Variable(3., dtype=float32)
        >>> float(total * 2), total.name
        (6.0, 'total')
    """

    name: str
    trainable: bool
    overwrite_with_gradient = False  # whether a step makes it what its gradient is
    constraint: Callable[[Any], Any] | None
    before_assign: Callable[[], None] | None = None  # may refuse it
    _kept = False  # whether ``-=`` and the like make a new array: while a layer's call runs
    _path: str | None

    def __new__(
        cls,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> "Variable":
        """Make the array."""
        if callable(initializer):
            if shape is None:
                raise ValueError("Variable: shape must be given where initializer is a function")
            initializer = initializer(tuple(shape))
        values = _targets.numeric("Variable", "initializer", initializer)
        if dtype is None:
            dtype = np.int64 if values.dtype.kind in "iu" else np.float32
        variable = np.array(values, _numpy_dtype(dtype)).view(cls)
        variable.trainable = trainable
        variable.name = "variable" if name is None else name
        return variable

    def __array_finalize__(self, obj: Any) -> None:
        """Give views the name of what they are views of."""
        self.name = getattr(obj, "name", "variable")
        self.trainable = getattr(obj, "trainable", True)
        self.constraint = None
        self._path = None

    def __array_wrap__(
        self, array: NDArray[Any], context: Any = None, return_scalar: bool = False
    ) -> Any:
        """Return what numpy computed as a plain array, or a number."""
        if array is self:
            return self
        plain = np.asarray(array)
        return plain[()] if plain.ndim == 0 else plain

    @property
    def path(self) -> str:
        """The name, behind that of its layer where it is a weight: ``dense/kernel``."""
        return self._path or self.name

    @property
    def value(self) -> NDArray[Any]:
        """The values: an array that shares them."""
        return np.asarray(self)

    def numpy(self) -> NDArray[Any]:
        """Return a copy of the values."""
        return np.array(self)

    def assign(self, value: Any) -> "Variable":
        """Set the values.

        Raises:
            ValueError: the shape is another.
        """
        if self.before_assign is not None:
            self.before_assign()
        values = np.asarray(value)
        if values.shape != self.shape:
            raise ValueError(
                f"Variable {self.name!r}: assign wants shape {self.shape}, got {values.shape}"
            )
        self[...] = values
        return self

    def assign_add(self, value: Any) -> "Variable":
        """Add to the values."""
        return self.assign(np.asarray(self) + np.asarray(value))

    def assign_sub(self, value: Any) -> "Variable":
        """Subtract from the values."""
        return self.assign(np.asarray(self) - np.asarray(value))

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)


def _augmented(name: str) -> Any:
    in_place, plain = getattr(np.ndarray, f"__i{name}__"), getattr(np.ndarray, f"__{name}__")

    def operate(self: Variable, other: Any) -> Any:
        return plain(self, other) if self._kept else in_place(self, other)

    return operate


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    setattr(Variable, f"__i{_name}__", _augmented(_name))


class NumberVariable(Variable):
    """A number that something else keeps: ``assign`` sets it there too.

    Example:
        >>> import pyconv
        >>> optimizer = pyconv.optimizers.SGD()
        >>> optimizer.variables[0].assign(3)
        NumberVariable(3)
        >>> int(optimizer.iterations)
        3
    """

    _owner: Any
    _attribute: str

    @classmethod
    def of(cls, owner: Any, attribute: str, name: str) -> "NumberVariable":
        """Return the attribute of ``owner`` as a variable."""
        variable: Any = cls(getattr(owner, attribute), name=name)
        variable._owner, variable._attribute = owner, attribute
        return variable  # type: ignore[no-any-return]

    def assign(self, value: Any) -> "Variable":
        """Set the number, here and where it is kept."""
        super().assign(value)
        setattr(self._owner, self._attribute, self.item())
        return self


def _numpy_dtype(dtype: Any) -> Any:
    if isinstance(dtype, str):
        dtype = {"int": np.int64, "float": np.float32}.get(dtype, dtype)
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError):
        found = None
    if found is None or found.kind not in "biuf":
        raise TypeError(f"Variable: dtype must be a type of numbers, got {dtype!r:.60}")
    return found
