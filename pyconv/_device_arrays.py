"""What numpy's functions and operators do with arrays on a device.

Code that is written for numpy runs as it is: arithmetic that kernels know stays on the device, and
the rest is done by numpy on copies.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from pyconv import backend
from pyconv.variable import Variable

# The codes of cuda/array_ops.h.
_ARITHMETIC = {
    function: code
    for code, function in enumerate(
        (
            np.positive,
            np.negative,
            np.exp,
            np.tanh,
            np.reciprocal,
            np.sign,
            np.absolute,
            np.square,
            np.add,
            np.subtract,
            np.multiply,
            np.divide,
            np.maximum,
            np.minimum,
            np.sqrt,
        )
    )
}
_COMPARISON = {
    function: code
    for code, function in enumerate((np.less, np.less_equal, np.greater, np.greater_equal))
}
_OUTLINES = np.ndim, np.shape, np.size
# Methods that give what numpy's do of a copy.
_ON_HOST = (
    "all any argmax argmin argsort clip cumsum flatten item max mean min prod round squeeze std "
    "sum swapaxes tobytes tolist transpose var"
)
_FLOAT32 = np.dtype(np.float32)
_MAX_RANK = 6


def equip(module: Any) -> None:
    """Give the arrays of a device's module, once, what numpy asks of arrays."""
    array = module.Array
    if "__array_ufunc__" in vars(array):
        return
    arrays = _Arrays(module)
    module.functional = _Functional(module)
    for name, method in vars(NDArrayOperatorsMixin).items():
        if name.startswith("__") and callable(method):
            setattr(array, name, method)
    array.__array_priority__ = 1000
    array.__array_ufunc__ = lambda self, *given, **options: arrays.ufunc(*given, **options)
    array.__array_function__ = lambda self, *given: arrays.function(*given)
    array.__getitem__ = lambda self, key: arrays.get(self, key)
    array.__setitem__ = lambda self, key, value: arrays.set(self, key, value)
    array.__hash__ = object.__hash__
    array.__repr__ = _text
    array.__bool__ = lambda self: bool(self.numpy())
    array.__float__ = lambda self: float(self.numpy())
    array.__int__ = lambda self: int(self.numpy())
    array.__deepcopy__ = lambda self, memo: self.copy()
    array.__reduce__ = lambda self: (backend.on_device, (self.numpy(),))
    array.astype = _astype
    array.ravel = lambda self: self.reshape(-1)
    array.flags = SimpleNamespace(c_contiguous=True, aligned=True, writeable=True)
    array.name, array.trainable, array.constraint = "variable", True, None
    for name in ("assign", "assign_add", "assign_sub"):
        setattr(array, name, vars(Variable)[name])
    array.before_assign = property(lambda self: Variable.before_assign)
    array.T = property(lambda self: self.numpy().T)
    for name in _ON_HOST.split():
        setattr(array, name, _on_host(name))


def _on_host(name: str) -> Any:
    def method(self: Any, *given: Any, **options: Any) -> Any:
        return getattr(self.numpy(), name)(*given, **options)

    return method


def _text(self: Any) -> str:
    return f"{self.numpy()!r} on cuda:{self.device}"


def _astype(self: Any, dtype: Any, copy: bool = True) -> Any:
    """Return the array itself or a copy of it; of another type, a copy on the host."""
    if np.dtype(dtype) == self.dtype:
        return self.copy() if copy else self
    return self.numpy().astype(dtype)


class _Functional:
    """The operations of a module: where no argument is on the device, results are numpy's."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._module, name)

        def run(*given: Any) -> Any:
            result = operation(*given)
            if any(isinstance(value, self._module.Array) for value in given):
                return result
            if isinstance(result, tuple):
                return tuple(value.numpy() for value in result)
            return result.numpy()

        return run


class _Arrays:
    """The functions of one module."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._array = module.Array

    # --- functions ------------------------------------------------------------------------------

    def ufunc(self, function: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Do what a ufunc does, with arrays on the device among its inputs or outputs."""
        given = dict(options)
        outs = given.pop("out", (None,))
        where = given.pop("where", True)
        dtype = given.pop("dtype", None)
        if method == "__call__" and not given and dtype in (None, _FLOAT32, np.float32):
            result = self._native(function, inputs, outs[0], where)
            if result is not NotImplemented:
                return result
        return self._with_numpy(getattr(function, method), inputs, options)

    def function(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        """Do what one of numpy's other functions does."""
        if function in _OUTLINES and len(inputs) == 1 and not options:
            return getattr(inputs[0], function.__name__)
        if function is np.copyto and isinstance(inputs[0], self._array):
            return self._copyto(*inputs, **options)
        if function is np.moveaxis and not options and inputs[0].dtype == _FLOAT32:
            return self._moved(*inputs)
        return self._with_numpy(function, inputs, options)

    def _native(self, function: Any, inputs: tuple[Any, ...], out: Any, where: Any) -> Any:
        compares = function in _COMPARISON
        if not compares and function not in _ARITHMETIC:
            return NotImplemented
        shapes = []
        for x in inputs:
            if isinstance(x, (self._array, np.ndarray)):
                if x.dtype != _FLOAT32:
                    return NotImplemented
                shapes.append(x.shape)
            elif not isinstance(x, (int, float, np.float32)) or isinstance(x, np.float64):
                return NotImplemented
        shape = np.broadcast_shapes(*shapes)
        masked = where is not True
        if len(shape) > _MAX_RANK or (masked and (compares or not self._is_mask(where, shape))):
            return NotImplemented
        wanted = np.dtype(np.bool_) if compares else _FLOAT32
        if out is None:
            out = self._module.empty(shape, wanted)
        elif not isinstance(out, self._array) or out.dtype != wanted or out.shape != shape:
            return NotImplemented
        first, *rest = (self._module.asarray(x) if isinstance(x, np.ndarray) else x for x in inputs)
        second = rest[0] if rest else 0.0
        if compares:
            self._module.comparison(_COMPARISON[function], first, second, out)
        else:
            code = _ARITHMETIC[function]
            self._module.arithmetic(code, first, second, where if masked else None, out)
        return out

    def _is_mask(self, where: Any, shape: tuple[int, ...]) -> bool:
        return isinstance(where, self._array) and where.dtype == np.bool_ and where.shape == shape

    def _with_numpy(self, function: Any, inputs: Any, options: dict[str, Any]) -> Any:
        """Call a function on copies; what it wrote to an ``out`` goes back to the device."""
        outs = options.get("out")
        options = {k: self._to_host(value) for k, value in options.items() if k != "out"}
        targets = outs if isinstance(outs, tuple) else (outs,)
        if outs is not None:
            # What was there is of use only where not all of it is written over.
            masked = options.get("where", True) is not True
            copies = tuple(
                np.empty(target.shape, target.dtype)
                if isinstance(target, self._array) and not masked
                else self._to_host(target, True)
                for target in targets
            )
            options["out"] = copies if isinstance(outs, tuple) else copies[0]
        result = function(*(self._to_host(x) for x in inputs), **options)
        if outs is None:
            return result
        for target, copy in zip(targets, copies, strict=True):
            if isinstance(target, self._array):
                target.take(copy)
        return outs if isinstance(outs, tuple) and len(outs) > 1 else targets[0]

    def _to_host(self, value: Any, outputs: bool = False) -> Any:
        if isinstance(value, self._array):
            return value.numpy()
        if isinstance(value, (list, tuple)) and not outputs:
            return type(value)(map(self._to_host, value))
        return value

    def _copyto(self, dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
        if where is not True:
            if self._native(np.positive, (src,), dst, where) is NotImplemented:
                values = dst.numpy()
                np.copyto(values, self._to_host(src), casting, self._to_host(where))  # type: ignore[arg-type]
                dst.take(values)
        elif isinstance(src, self._array) and (src.shape, src.dtype) == (dst.shape, dst.dtype):
            dst.take(src)
        else:
            values = np.empty(dst.shape, dst.dtype)
            np.copyto(values, self._to_host(src), casting)  # type: ignore[arg-type]
            dst.take(values)

    def _moved(self, array: Any, source: Any, destination: Any) -> Any:
        turned = np.moveaxis(_outline(array), source, destination)
        return self._module.part(array, 0, _steps(turned), turned.shape)

    # --- parts ----------------------------------------------------------------------------------

    def get(self, array: Any, key: Any) -> Any:
        """Return ``array[key]``: rows without a copy, other parts as copies."""
        if isinstance(key, slice) and key.step in (None, 1) and array.ndim:
            begin, end, _ = key.indices(len(array))
            return array.rows(begin, max(begin, end))
        if array.dtype != _FLOAT32 or not _is_basic(key) or array.ndim > _MAX_RANK:
            return array.numpy()[key]
        part, offset = _part(array, key)
        if part.ndim == 0 or part.ndim > _MAX_RANK:
            return array.numpy()[key]
        return self._module.part(array, offset, _steps(part), part.shape)

    def set(self, array: Any, key: Any, value: Any) -> None:
        """Do ``array[key] = value``."""
        if key is Ellipsis or (isinstance(key, slice) and key == slice(None)):
            if isinstance(value, self._array) or np.ndim(value):
                self._copyto(array, value, "unsafe")
            else:
                array.fill(float(value))
            return
        if array.dtype == _FLOAT32 and _is_basic(key) and array.ndim <= _MAX_RANK:
            part, offset = _part(array, key)
            if part.ndim <= _MAX_RANK:
                if not isinstance(value, self._array) and np.ndim(value):
                    value = self._module.asarray(np.asarray(value, np.float32))
                self._module.set_part(array, offset, _steps(part), part.shape, value)
                return
        values = array.numpy()
        values[key] = self._to_host(value)
        array.take(values)


def _outline(array: Any) -> Any:
    """Return an array of the same shape and strides whose elements are not to be read."""
    strides: list[int] = []
    step = _FLOAT32.itemsize
    for extent in reversed(array.shape):
        strides.insert(0, step)
        step *= max(extent, 1)
    return np.lib.stride_tricks.as_strided(np.empty(1, np.float32), array.shape, strides)


def _part(array: Any, key: Any) -> tuple[Any, int]:
    whole = _outline(array)
    keys = key if isinstance(key, tuple) else (key,)
    # An ellipsis at the end: a single element is then an array, and is not read.
    part = whole[keys if Ellipsis in keys else (*keys, ...)]
    start = part.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    return part, start // _FLOAT32.itemsize


def _steps(part: Any) -> list[int]:
    return [step // _FLOAT32.itemsize for step in part.strides]


def _is_basic(key: Any) -> bool:
    return all(
        part is Ellipsis
        or part is None
        or (isinstance(part, (slice, int, np.integer)) and not isinstance(part, bool))
        for part in (key if isinstance(key, tuple) else (key,))
    )
