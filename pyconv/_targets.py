"""Checks of labels and sample weights, made once over a whole set before it is trained on."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array, Shape

# Rows are scanned a part at a time, so that the check makes no copy of a large set.
_SCAN = 1 << 20

_non_finite: ContextVar[bool] = ContextVar("non_finite", default=False)


@contextlib.contextmanager
def non_finite_allowed(allowed: bool) -> Iterator[None]:
    """Within, targets may hold NaN and infinity where ``allowed``."""
    token = _non_finite.set(allowed)
    try:
        yield
    finally:
        _non_finite.reset(token)


def class_numbers(owner: str, y: Any, output_shape: Shape, name: str = "y") -> NDArray[np.int64]:
    """Return labels as int64 of ``output_shape`` without its last axis, which counts the classes.

    ``output_shape`` begins with the number of samples; None is a size not known yet.
    """
    labels = numeric(owner, name, y)
    wanted, classes = output_shape[:-1], output_shape[-1]
    if labels.ndim == len(output_shape) and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not _fits(labels.shape, wanted):
        hint = (
            "; for one-hot labels use loss='categorical_crossentropy'"
            if _fits(labels.shape, output_shape)
            else ""
        )
        raise ValueError(
            f"{owner}: {name} must hold one class number a row, shape {_shown(wanted)}, got "
            f"{labels.shape}{hint}"
        )
    if labels.size == 0:
        return labels.astype(np.int64)
    if labels.dtype.kind == "f":
        whole = np.isfinite(labels) & (labels == np.floor(labels))
        if not whole.all():
            found = _first(labels, ~whole)
            raise ValueError(
                f"{owner}: {name} must hold class numbers, got {found}; they are whole numbers, "
                "which are not scaled as images are"
            )
    low, high = labels.min(), labels.max()
    if low < 0 or (classes is not None and high >= classes):
        wrong = low if low < 0 else high
        wanted_numbers = "0 or above" if classes is None else f"from 0 to {classes - 1}"
        raise ValueError(
            f"{owner}: {name} must hold class numbers {wanted_numbers}, got "
            f"{_first(labels, labels == wrong)}"
        )
    return np.ascontiguousarray(labels, np.int64)


def values(owner: str, y: Any, output_shape: Shape, one_hot: bool = False) -> NDArray[Any]:
    """Return targets of ``output_shape``, finite, of the dtype that they were given in.

    A missing or extra last axis of one value is added or dropped.
    """
    targets = numeric(owner, "y", y)
    if targets.ndim == len(output_shape) - 1 and output_shape[-1] == 1:
        targets = targets[..., None]
    elif targets.ndim == len(output_shape) + 1 and targets.shape[-1] == 1:
        targets = targets[..., 0]
    if not _fits(targets.shape, output_shape):
        hint = ""
        if one_hot and (targets.shape[-1:] == (1,) or targets.ndim < len(output_shape)):
            hint = (
                "; for class numbers use loss='sparse_categorical_crossentropy' or "
                f"utils.to_categorical(y, {output_shape[-1]})"
            )
        raise ValueError(
            f"{owner}: y must have the shape of the network's output, {_shown(output_shape)}, got "
            f"{np.shape(y)}: they must have the same shape{hint}"
        )
    require_finite(owner, "y", targets)
    return targets


def sample_weights(owner: str, weight: Any, rows: Shape) -> Array:
    """Return the weight of each row's loss, float32 of shape ``rows`` or broadcast to it."""
    given = numeric(owner, "sample_weight", weight)
    if given.ndim == len(rows) + 1 and given.shape[-1] == 1:
        given = given[..., 0]
    if given.ndim == 1 and len(rows) > 1:
        given = given.reshape((-1,) + (1,) * (len(rows) - 1))
    if given.ndim != len(rows) or any(
        wanted is not None and got != wanted and not (axis and got == 1)
        for axis, (got, wanted) in enumerate(zip(given.shape, rows, strict=False))
    ):
        raise ValueError(
            f"{owner}: sample_weight must hold one number a sample, shape {_shown(rows[:1])}, got "
            f"{np.shape(weight)}"
        )
    require_finite(owner, "sample_weight", given)
    return np.ascontiguousarray(given, np.float32).reshape(given.shape)


def numeric(owner: str, name: str, value: Any) -> NDArray[Any]:
    """Return ``value`` as an array of numbers or booleans."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{owner}: {name} must be an array of numbers, got a {type(value).__name__} whose rows "
            "are of different lengths"
        ) from None
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{owner}: {name} must be an array of numbers, got "
            f"{type(value).__name__} of dtype {array.dtype}"
        )
    return array


def require_finite(owner: str, name: str, array: NDArray[Any]) -> None:
    """Raise ValueError where a floating-point array holds NaN or infinity."""
    if array.dtype.kind != "f" or array.size == 0 or (name == "y" and _non_finite.get()):
        return
    array = np.atleast_1d(array)
    step = max(1, _SCAN * len(array) // array.size)
    for at in range(0, len(array), step):
        finite = np.isfinite(array[at : at + step])
        if not finite.all():
            found = _first(array[at : at + step], ~finite, at)
            raise ValueError(f"{owner}: {name} must be finite, got {found}")


def _fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(
        want is None or got == want for got, want in zip(shape, wanted, strict=True)
    )


def _first(array: NDArray[Any], wrong: NDArray[np.bool_], offset: int = 0) -> str:
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{array[index]} at row {index[0] + offset}" if index else f"{array[()]}"


def _shown(shape: Shape) -> str:
    sizes = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"
