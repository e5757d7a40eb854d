"""Checks of the arguments that operations and layers share.

Each takes ``owner``, the operation or layer that its errors name.
"""

import contextlib
import operator
import os
import reprlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]

INT_MAX = 2**31 - 1
FLOAT_MAX = 3.4028234663852886e38  # the largest float32


class ArgumentTypeError(TypeError, ValueError):
    """An argument of a wrong type; a ValueError too, which Keras raises for many of them."""


def int_arg(
    owner: str,
    name: str,
    value: Any,
    minimum: int = 1,
    maximum: int = INT_MAX,
    kind: str = "an integer",
) -> int:
    """Return ``value`` as an int between ``minimum`` and ``maximum``; errors want ``kind``."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or _kind(value, "i") not in "iu":
        raise ArgumentTypeError(f"{owner}: {name} must be {kind}, got {shown(value)}")
    try:
        number = operator.index(value)
    except TypeError:
        raise ArgumentTypeError(f"{owner}: {name} must be {kind}, got {shown(value)}") from None
    if not minimum <= number <= maximum:
        wanted = f"from {minimum} to {maximum}"
        if minimum == 1 and maximum == INT_MAX:
            wanted = "a positive integer" if number < 1 else f"a positive integer up to {maximum}"
        raise ValueError(f"{owner}: {name} must be {wanted}, got {shown(number)}")
    return number


def float_arg(
    owner: str, name: str, value: Any, minimum: float = 0.0, maximum: float = FLOAT_MAX
) -> float:
    """Return ``value`` as a float between ``minimum`` and ``maximum``; NaN is refused."""
    if (
        isinstance(value, (bool, str))
        or not hasattr(value, "__float__")
        or _kind(value, "f") not in "iuf"
    ):
        raise ArgumentTypeError(f"{owner}: {name} must be a number, got {shown(value)}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ArgumentTypeError(f"{owner}: {name} must be a number, got {shown(value)}") from None
    except OverflowError:
        number = float("inf")
    if not minimum <= number <= maximum:
        wanted = (
            f"at least {minimum:g} and finite"
            if maximum == FLOAT_MAX
            else f"from {minimum:g} to {maximum:g}"
        )
        raise ValueError(f"{owner}: {name} must be {wanted}, got {number:g}")
    return number


def bool_arg(owner: str, name: str, value: Any) -> bool:
    """Return ``value``, a single truth value or None, as a bool."""
    several = isinstance(value, (str, bytes, list, tuple, dict, set))
    if several or tuple(getattr(value, "shape", ())) != ():
        raise ArgumentTypeError(f"{owner}: {name} must be True or False, got {shown(value)}")
    return bool(value)


def is_one_of(value: Any, choices: Collection[str | None]) -> bool:
    """Whether ``value``, of any type, is one of these names (or None)."""
    return (value is None or isinstance(value, str)) and value in choices


def names_arg(owner: str, name: str, value: Any) -> list[Any]:
    """Return names of classes, one each, as a list."""
    if not isinstance(value, Iterable):
        raise ArgumentTypeError(f"{owner}: {name} must be a list of names, got {shown(value)}")
    return list(value)


def verbose_arg(owner: str, value: Any) -> int:
    """Return how much a callback is to print: 0 or more, True for 1."""
    is_bool = isinstance(value, bool) or _kind(value, "") == "b"
    return (
        int(bool_arg(owner, "verbose", value)) if is_bool else int_arg(owner, "verbose", value, 0)
    )


def path_arg(owner: str, name: str, value: Any) -> str:
    """Return ``value``, a str or an object such as ``pathlib.Path``, as a str."""
    try:
        path = os.fsdecode(value)
    except TypeError:
        raise ArgumentTypeError(
            f"{owner}: {name} must be a str or a path, got {shown(value)}"
        ) from None
    if not path or "\0" in path:
        raise ValueError(f"{owner}: {name} must name a file or a folder, got {shown(value)}")
    return path


def pair_arg(owner: str, name: str, value: Any, minimum: int = 1) -> Pair:
    """Return ``value``, an integer or two of them, as (height, width)."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(
                f"{owner}: {name} must be an integer or (height, width), got {shown(value)}"
            )
        with tuple_words(name, value, minimum):
            return (
                int_arg(owner, f"{name}[0]", value[0], minimum),
                int_arg(owner, f"{name}[1]", value[1], minimum),
            )
    number = int_arg(owner, name, value, minimum, kind="an integer or (height, width)")
    return number, number


@contextlib.contextmanager
def in_other_words(words: str) -> Iterator[None]:
    """Within, an argument's error has these words behind it, by which Keras's users know it."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"{error}. {words}") from None


def tuple_words(name: str, value: Any, minimum: int) -> AbstractContextManager[None]:
    """Return such a context for the integers of a tuple."""
    wrong = {one for one in value if isinstance(one, int) and one < minimum}
    if not wrong:
        return contextlib.nullcontext()
    limit = "value > 0" if minimum == 1 else f"value >= {minimum}"
    return in_other_words(
        f"The `{name}` argument must be a tuple of {len(value)} integers. Received "
        f"{name}={shown(tuple(value))}, including values {shown(wrong)} that do not satisfy "
        f"`{limit}`"
    )


def activation_arg(owner: str, value: Any) -> str:
    """Return the name of an activation that a kernel applies: 'linear' (also None) or 'relu'."""
    if value is not None and not isinstance(value, str):
        raise ArgumentTypeError(f"{owner}: activation must be None or 'relu', got {shown(value)}")
    if value not in (None, "linear", "relu"):
        raise ValueError(f"{owner}: activation must be None or 'relu', got {shown(value)}")
    return value or "linear"


def padding_arg(owner: str, value: Any, name: str = "padding") -> str | Pads:
    """Return 'valid', 'same' or ((top, bottom), (left, right)).

    Accepts those, an integer for all four sides, and (height, width).
    """
    if isinstance(value, str):
        if value.lower() in ("valid", "same"):
            return value.lower()
        raise ValueError(
            f"{owner}: {name} must be 'valid', 'same', an integer or "
            f"((top, bottom), (left, right)), got {shown(value)}"
        )
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(
                f"{owner}: {name} must be ((top, bottom), (left, right)), got {shown(value)}"
            )
        top, bottom = pair_arg(owner, f"{name}[0]", value[0], minimum=0)
        left, right = pair_arg(owner, f"{name}[1]", value[1], minimum=0)
        return (top, bottom), (left, right)
    number = int_arg(owner, name, value, minimum=0)
    return (number, number), (number, number)


def resolve_padding(
    padding: str | Pads, size: Pair, kernel: Pair, strides: Pair, dilation: Pair = (1, 1)
) -> tuple[int, int, int, int]:
    """Return (top, bottom, left, right) cells of padding for an input of ``size``.

    'same' is TensorFlow's: the output has ceil(size / stride) cells, and the odd cell of
    padding goes to the end.
    """
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        top, bottom = _same(size[0], kernel[0], strides[0], dilation[0])
        left, right = _same(size[1], kernel[1], strides[1], dilation[1])
        return top, bottom, left, right
    assert not isinstance(padding, str)
    (top, bottom), (left, right) = padding
    return top, bottom, left, right


def window_output_size(
    owner: str,
    size: Pair,
    kernel: Pair,
    strides: Pair,
    pads: tuple[int, int, int, int],
    dilation: Pair = (1, 1),
) -> Pair:
    """Return (OH, OW): floor((size + padding - (dilation*(kernel - 1) + 1)) / stride) + 1."""
    oh = _windows(size[0] + pads[0] + pads[1], kernel[0], strides[0], dilation[0])
    ow = _windows(size[1] + pads[2] + pads[3], kernel[1], strides[1], dilation[1])
    if oh < 1 or ow < 1:
        raise ValueError(
            f"{owner}: a window of {kernel} (dilation {dilation}) does not fit into an input of "
            f"{size} with padding {pads}; use padding='same' or a smaller window. Computed output "
            "size would be zero or negative."
        )
    return oh, ow


def _kind(value: Any, default: str) -> str:
    """Return the letter of a numpy value's type: its bool converts to a number as well."""
    return getattr(getattr(value, "dtype", None), "kind", default)


def _same(size: int, kernel: int, stride: int, dilation: int) -> Pair:
    out = -(-size // stride)
    total = max((out - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def _windows(size: int, kernel: int, stride: int, dilation: int) -> int:
    return (size - (kernel - 1) * dilation - 1) // stride + 1


class _Short(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to write out integers of more than 4300 digits.
        return str(x) if x.bit_length() <= 128 else f"an integer of {x.bit_length()} bits"


_repr = _Short()
_repr.maxstring = _repr.maxother = 60


def shown(value: Any) -> str:
    """Return ``value`` as an error shows it: short, however large it is."""
    text = _repr.repr(value)
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:57]}..."
