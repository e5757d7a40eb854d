"""Nodes that work on constants alone: what they give is known when a file is read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pyconv.onnx._file import Constant

Attributes = Mapping[str, Any]
# The batch in the shape of a result: as Reshape has it, the size that its input has there.
BATCH = 0


def fold(op: str, inputs: Sequence[Constant], attributes: Attributes) -> Constant:
    """Return what a node gives.

    Raises:
        ValueError: its inputs do not fit.
    """
    try:
        return np.asarray(FOLDED[op](inputs, attributes))
    except (IndexError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"its inputs or attributes are wrong: {error}") from None


def axes_of(inputs: Sequence[Constant | None], attributes: Attributes) -> list[int] | None:
    """Return the axes of Squeeze, Unsqueeze or ReduceMean: an attribute once, an input now."""
    axes = inputs[1] if len(inputs) > 1 else None
    found = attributes.get("axes") if axes is None else axes.tolist()
    return None if found is None else [int(axis) for axis in found]


def _constant_of_shape(inputs: Sequence[Constant], attributes: Attributes) -> Constant:
    value = attributes.get("value", np.zeros(1, np.float32))
    # Without memory of its own, however large it says it is.
    return np.broadcast_to(np.asarray(value).reshape(()), [int(n) for n in inputs[0]])


def _reshape(inputs: Sequence[Constant], attributes: Attributes) -> Constant:
    shape = [int(n) for n in (inputs[1] if len(inputs) > 1 else attributes["shape"])]
    own = inputs[0].shape
    return inputs[0].reshape([own[i] if n == 0 else n for i, n in enumerate(shape)])


def _squeeze(inputs: Sequence[Constant], attributes: Attributes) -> Constant:
    axes = axes_of(inputs, attributes)
    return np.squeeze(inputs[0], None if axes is None else tuple(axes))


def _unsqueeze(inputs: Sequence[Constant], attributes: Attributes) -> Constant:
    return np.expand_dims(inputs[0], tuple(axes_of(inputs, attributes) or ()))


def _slice(inputs: Sequence[Constant], attributes: Attributes) -> Constant:
    data = inputs[0]
    if len(inputs) > 1:
        starts, ends, *more = (part.tolist() for part in inputs[1:])
    else:
        starts, ends, more = attributes["starts"], attributes["ends"], []
    axes = more[0] if more else attributes.get("axes", range(len(starts)))
    steps = more[1] if len(more) > 1 else [1] * len(starts)
    where = [slice(None)] * data.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        where[axis] = slice(start, end, step)
    return data[tuple(where)]


def _cast(inputs: Sequence[Constant], attributes: Attributes) -> Constant:
    from pyconv.onnx._file import module

    return inputs[0].astype(module().helper.tensor_dtype_to_np_dtype(attributes["to"]))


def _arithmetic(function: Any) -> Callable[[Sequence[Constant], Attributes], Constant]:
    def run(inputs: Sequence[Constant], attributes: Attributes) -> Constant:
        a, b = inputs
        if a.dtype.kind in "iu" and (BATCH in a or BATCH in b):
            raise ValueError("it calculates with the size of the batch, which may be any")
        if a.dtype.kind in "iu" and function is np.divide:
            return a // b
        return np.asarray(function(a, b))

    return run


FOLDED: dict[str, Callable[[Sequence[Constant], Attributes], Any]] = {
    "Add": _arithmetic(np.add),
    "Cast": _cast,
    "Concat": lambda inputs, own: np.concatenate(list(inputs), own.get("axis", 1)),
    "ConstantOfShape": _constant_of_shape,
    "Div": _arithmetic(np.divide),
    "Gather": lambda inputs, own: np.take(inputs[0], inputs[1].astype(int), own.get("axis", 0)),
    "Identity": lambda inputs, own: inputs[0],
    "Mul": _arithmetic(np.multiply),
    "Reshape": _reshape,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Sub": _arithmetic(np.subtract),
    "Transpose": lambda inputs, own: np.transpose(inputs[0], own.get("perm")),
    "Unsqueeze": _unsqueeze,
}
