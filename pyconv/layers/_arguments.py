"""Checks of the arguments that several layers have."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pyconv._args import ArgumentTypeError, in_other_words, int_arg, is_one_of, shown, tuple_words
from pyconv._types import Array, Shape


def shape_arg(owner: str, name: str, value: Any) -> Shape:
    """Return ``value`` as a tuple of sizes, each None or at least 1."""
    if not isinstance(value, (tuple, list)):
        raise ArgumentTypeError(
            f"{owner}: {name} must be a tuple such as (None, 32, 32, 3), got {value!r:.60}"
        )
    return tuple(
        None if size is None else int_arg(owner, f"{name}[{axis}]", size)
        for axis, size in enumerate(value)
    )


def image_shape(owner: str, shape: Shape) -> Shape:
    """Return ``shape`` where it is (N, H, W, C) with a known C."""
    if len(shape) != 4:
        hint = ""
        if len(shape) == 3:
            hint = "; a batch of grey images gets its channel axis with x[..., np.newaxis]"
        elif len(shape) == 2:
            hint = "; put this layer before Flatten, or give images"
        raise ValueError(f"{owner}: input must be (N, H, W, C), got {shape}{hint}")
    if shape[3] is None:
        raise ValueError(f"{owner}: the number of channels must be known, got {shape}")
    return shape


_AXES = {1: "(N, L, C)", 2: "(N, H, W, C)", 3: "(N, D, H, W, C)"}


def spatial_shape(owner: str, shape: Shape, rank: int) -> Shape:
    """Return ``shape`` where it is that of lines (rank 1), images (2) or volumes (3)."""
    if rank == 2:
        return image_shape(owner, shape)
    if len(shape) != rank + 2:
        raise ValueError(f"{owner}: input must be {_AXES[rank]}, got {tuple(shape)}")
    if shape[-1] is None:
        raise ValueError(f"{owner}: the number of channels must be known, got {tuple(shape)}")
    return shape


def count_arg(owner: str, name: str, value: Any) -> int:
    """Return ``value`` as an integer of at least 1; the error says so in Keras's words too."""
    with in_other_words(
        f"Invalid value for argument `{name}`. Expected a strictly positive value. Received "
        f"{name}={value!r:.60}."
    ):
        return int_arg(owner, name, value)


def sizes_arg(owner: str, name: str, value: Any, rank: int, minimum: int = 1) -> tuple[int, ...]:
    """Return ``value``, an integer or ``rank`` of them, as a tuple."""
    if not isinstance(value, (tuple, list)):
        return (int_arg(owner, name, value, minimum),) * rank
    if len(value) != rank:
        raise ValueError(
            f"{owner}: {name} must be an integer or a tuple of {rank}, got {shown(value)}"
        )
    with tuple_words(name, value, minimum):
        return tuple(int_arg(owner, f"{name}[{i}]", one, minimum) for i, one in enumerate(value))


def declared_shape(owner: str, arguments: dict[str, Any]) -> Shape | None:
    """Take ``input_shape`` or ``input_dim`` out of ``arguments``; return it with a batch axis."""
    shape, dim = arguments.pop("input_shape", None), arguments.pop("input_dim", None)
    if shape is None and dim is not None:
        shape = (int_arg(owner, "input_dim", dim),)
    return None if shape is None else (None, *shape_arg(owner, "input_shape", shape))


def unknown_arguments(layer: type, arguments: dict[str, Any]) -> ValueError:
    """Return the error for keyword arguments that a layer does not have."""
    import difflib
    import inspect

    known = [*inspect.signature(layer).parameters, "name", "trainable", "dtype", "input_shape"]
    hints = []
    for argument in arguments:
        close = difflib.get_close_matches(argument, known, 1)
        if close and close[0] != "kwargs":
            hints.append(f"; did you mean {close[0]!r} in place of {argument!r}?")
    return ValueError(
        f"Unrecognized keyword arguments passed to {layer.__name__}: {arguments}{''.join(hints)}"
    )


def known_sizes(owner: str, shape: Shape) -> tuple[int, ...]:
    """Return ``shape`` for one sample where the batch is None; ValueError for another None."""
    sizes = tuple(1 if axis == 0 and n is None else n for axis, n in enumerate(shape))
    known = tuple(n for n in sizes if n is not None)
    if len(known) < len(sizes):
        raise ValueError(f"{owner}: all sizes beside the batch must be known, got {tuple(shape)}")
    return known


def stored_weight(
    owner: str, name: str, shape: tuple[int, ...], stored: Mapping[str, Array]
) -> Array:
    """Return the stored weight ``name``, which must be float32 and of this shape."""
    value = stored.get(name)
    if value is None or value.shape != shape or value.dtype != np.float32:
        got = "nothing" if value is None else f"{value.dtype} {value.shape}"
        raise ValueError(f"{owner}: {name} must be float32 {shape}, got {got}")
    return value


def check_dtype(owner: str, value: Any) -> None:
    """Raise a ValueError unless ``value`` is None or means float32."""
    try:
        known = value is None or np.dtype(value) == np.float32
    except (TypeError, ValueError):
        known = False
    if not known:
        raise ValueError(f"{owner}: dtype must be None or 'float32', got {value!r:.60}")


def check_data_format(owner: str, value: Any) -> None:
    """Raise a ValueError unless ``value`` is None, 'channels_last' or 'channels_first'."""
    if is_one_of(value, (None, "channels_last", "channels_first")):
        return
    fix = "images are (N, H, W, C)"
    if isinstance(value, str):
        fix = f"an activation is given by name: activation={value!r}"
    raise ValueError(
        f"{owner}: data_format must be None, 'channels_last' or 'channels_first', got "
        f"{value!r:.60}; {fix}"
    )


def refuse(owner: str, arguments: dict[str, Any]) -> None:
    """Raise a ValueError for an argument of Keras that is not supported, unless it is None."""
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"{owner}: {name} is not supported, so it must be None, got {value!r:.60}"
            )


def rate_arg(owner: str, value: Any) -> float:
    """Return ``value`` as a rate from 0 to 1."""
    try:
        return number_arg(owner, "rate", value, 0, 1)
    except ValueError as error:
        raise type(error)(
            f"{error}. Invalid value received for argument `rate`. Expected a float value between "
            "0 and 1."
        ) from None


def number_arg(
    owner: str, name: str, value: Any, minimum: float = -math.inf, maximum: float = math.inf
) -> float:
    """Return ``value`` as a float from ``minimum`` to ``maximum``; NaN is refused."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise ArgumentTypeError(f"{owner}: {name} must be a number, got {value!r:.60}")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentTypeError(f"{owner}: {name} must be a number, got {value!r:.60}") from None
    if not minimum <= number <= maximum or math.isinf(number):
        bounds = f"from {minimum:g} to {maximum:g}" if maximum < math.inf else "finite"
        if maximum == math.inf and minimum > -math.inf:
            bounds = f"at least {minimum:g} and finite"
        raise ValueError(f"{owner}: {name} must be {bounds}, got {number}")
    return number
