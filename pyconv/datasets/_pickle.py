"""Reads the pickles of CIFAR-10's python layout without unpickling them.

The opcodes are interpreted here, and only those that build plain values: nothing in the file
can name a function to call, choose a size to allocate, or run for long.
"""

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAX_OPCODES = 500_000  # a batch of 10,000 images takes 30,000 to 120,000
_MAX_DIMENSIONS = 32  # NumPy 1's own limit
_NUMERIC_DTYPE = re.compile(r"[biuf][1248]")


class _Global:
    """A name that the pickle refers to; it is looked up nowhere."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Array:
    """An array between its creation and its state."""


class _DType:
    def __init__(self, code: str) -> None:
        self.code = code
        self.byte_order = "|"


# How NumPy 1 and 2 pickle an array: up to protocol 4, and from protocol 5 on.
_RECONSTRUCT = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
_FROMBUFFER = ("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer")
_BYTES = ("__builtin__.bytes", "builtins.bytes")
_ACCEPTED = (
    *_RECONSTRUCT,
    *_FROMBUFFER,
    *_BYTES,
    "numpy.ndarray",
    "numpy.dtype",
    "_codecs.encode",
)


def loads(data: bytes) -> object:
    """Return the value of a pickle of dicts, lists, tuples, numbers, strings and numeric arrays.

    Strings of Python 2 come back as bytes.

    Raises:
        ValueError: the pickle is damaged, or holds anything else.
    """
    try:
        return _interpret(data)
    except (ArithmeticError, LookupError, TypeError) as error:
        raise ValueError(f"the pickle is damaged ({type(error).__name__}: {error})") from None


def _interpret(data: bytes) -> object:
    import pickletools

    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}
    encoded = 0

    def pop_to_mark() -> list[Any]:
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    for count, (opcode, operand, _) in enumerate(pickletools.genops(data)):
        arg: Any = operand
        if count > _MAX_OPCODES:
            raise ValueError(f"the pickle has more than {_MAX_OPCODES} opcodes")
        match opcode.name:
            case "BINPUT" | "LONG_BINPUT" | "PUT":
                memo[_number(arg)] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET" | "GET":
                stack.append(memo[_number(arg)])
            case "BININT1" | "BININT2" | "BININT" | "INT" | "LONG" | "LONG1" | "LONG4":
                stack.append(arg)
            case "BINFLOAT" | "FLOAT":
                stack.append(arg)
            case "SHORT_BINSTRING" | "BINSTRING" | "STRING":
                stack.append(arg.encode("latin-1"))
            case "BINUNICODE" | "SHORT_BINUNICODE" | "BINUNICODE8" | "UNICODE":
                stack.append(arg)
            case "BINBYTES" | "SHORT_BINBYTES" | "BINBYTES8" | "BYTEARRAY8":
                stack.append(bytes(arg))
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(opcode.name == "NEWTRUE")
            case "MARK":
                marks.append(len(stack))
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(opcode.name[-1])
                stack[-size:] = [tuple(_top(stack, size))]
            case "TUPLE":
                stack.append(tuple(pop_to_mark()))
            case "EMPTY_LIST":
                stack.append([])
            case "LIST":
                stack.append(pop_to_mark())
            case "APPEND":
                item = stack.pop()
                _expect(stack[-1], list).append(item)
            case "APPENDS":
                items = pop_to_mark()
                _expect(stack[-1], list).extend(items)
            case "EMPTY_DICT":
                stack.append({})
            case "DICT":
                stack.append(_dict(pop_to_mark()))
            case "SETITEM":
                pair = _top(stack, 2)
                del stack[-2:]
                _expect(stack[-1], dict).update(_dict(pair))
            case "SETITEMS":
                items = pop_to_mark()
                _expect(stack[-1], dict).update(_dict(items))
            case "GLOBAL":
                stack.append(_global(*arg.split(" ", 1)))
            case "STACK_GLOBAL":
                module, name = _top(stack, 2)
                stack[-2:] = [_global(_expect(module, str), _expect(name, str))]
            case "REDUCE":
                function, args = _top(stack, 2)
                value = _reduce(_expect(function, _Global).name, _expect(args, tuple))
                encoded += len(value) if isinstance(value, bytes) else 0
                if encoded > len(data):
                    raise ValueError("the pickle encodes one string again and again")
                stack[-2:] = [value]
            case "BUILD":
                value, state = _top(stack, 2)
                stack[-2:] = [_build(value, _expect(state, tuple))]
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return stack.pop()
            case _:
                raise ValueError(f"the pickle uses {opcode.name}, which plain values do not need")
    raise ValueError("the pickle has no end")


def _reduce(name: str, args: tuple[Any, ...]) -> object:
    if name in _RECONSTRUCT:
        return _Array()
    if name in _FROMBUFFER:
        raw, dtype, shape, order = args
        return _array(raw, dtype, shape, order == "F")
    if name == "numpy.dtype":
        code = args[0].decode("latin-1") if isinstance(args[0], bytes) else _expect(args[0], str)
        if not _NUMERIC_DTYPE.fullmatch(code):
            raise ValueError(f"the pickle holds an array of dtype {code[:20]!r}, not of numbers")
        return _DType(code)
    if name == "_codecs.encode":  # how Python 3 writes bytes for Python 2
        text, encoding = args
        if encoding in ("latin1", b"latin1"):
            return _expect(text, str).encode("latin-1")
    if name in _BYTES and not args:
        return b""
    raise ValueError(f"the pickle calls {name} with arguments that no array or string needs")


def _build(value: object, state: tuple[Any, ...]) -> object:
    if isinstance(value, _DType):
        order = state[1].decode("latin-1") if isinstance(state[1], bytes) else state[1]
        if order not in ("|", "<", ">", "="):
            raise ValueError("the pickle holds an array of unknown byte order")
        value.byte_order = order
        return value
    if not isinstance(value, _Array):
        raise ValueError("the pickle sets the state of something that is no array")
    _, shape, dtype, fortran_order, raw = state
    return _array(raw, dtype, shape, fortran_order is True)


def _array(raw: Any, dtype: Any, shape: Any, fortran_order: bool) -> NDArray[Any]:
    numpy_dtype = np.dtype(_expect(dtype, _DType).byte_order + dtype.code)
    if len(_expect(shape, tuple)) > _MAX_DIMENSIONS:
        raise ValueError(f"the pickle holds an array of {len(shape)} dimensions")
    sizes = [_number(size) for size in shape]
    if math.prod(sizes) * numpy_dtype.itemsize != len(_expect(raw, bytes)):
        raise ValueError(f"the pickle has {len(raw)} bytes for an array of shape {shape}")
    flat: NDArray[Any] = np.frombuffer(raw, numpy_dtype)
    array: NDArray[Any] = flat.reshape(sizes, order="F" if fortran_order else "C")
    return array


def _global(module: str, name: str) -> _Global:
    full = f"{module}.{name}"
    if full not in _ACCEPTED:
        raise ValueError(
            f"the pickle refers to {full[:80]!r}; only arrays and plain values are accepted"
        )
    return _Global(full)


def _dict(items: list[Any]) -> dict[str | bytes, Any]:
    keys = items[::2]
    # Other keys could be chosen to collide, which makes a dict quadratic.
    if len(items) % 2 or not all(isinstance(key, (str, bytes)) for key in keys):
        raise ValueError("the pickle holds a dict whose keys are not strings")
    return dict(zip(keys, items[1::2], strict=True))


def _top(stack: list[Any], size: int) -> list[Any]:
    if len(stack) < size:
        raise ValueError("the pickle is damaged (its stack runs empty)")
    return stack[-size:]


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError("the pickle is damaged (a size or a memo index is out of range)")
    return value


def _expect(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError(
            f"the pickle is damaged ({type(value).__name__} where it needs "
            f"{kind.__name__.strip('_').lower()})"
        )
    return value
