"""Nodes that give numbers other axes, or know their sizes."""

import math

import numpy as np

from pyconv.layers import Permute, Reshape, ZeroPadding2D
from pyconv.onnx._file import Constant
from pyconv.onnx._fold import BATCH, axes_of
from pyconv.onnx._network import Step, Value, total

_TO_LAST, _TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]


def shape(step: Step) -> Constant:
    """Shape: that of a result, with a sign for the size of the batch."""
    sizes = step.value().file_shape
    if None in sizes:
        raise ValueError("it must know the size of its input; give input_shape")
    found = np.array([BATCH, *sizes], np.int64)
    return found[step.attribute("start", 0) : step.attributes.get("end")]


def flatten(step: Step) -> Value:
    """Flatten from the first axis of a sample."""
    x = step.value()
    axis = step.attribute("axis", 1)
    if axis not in (1, -len(x.shape)):
        raise ValueError(f"axis must be 1, as samples stay apart, got {axis}")
    return step.network.flattened(x, step.result)


def reshape(step: Step) -> Value:
    """Reshape that leaves samples apart."""
    x = step.value()
    wanted = [
        int(n)
        for n in (
            step.constant(1, "the shape").ravel().tolist()
            if step.given(1)
            else step.attribute("shape", [])
        )
    ]
    own = (BATCH, *x.file_shape)
    if not wanted or (step.attribute("allowzero", 0) and 0 in wanted):
        raise ValueError(f"the shape must have the batch and more, got {wanted}")
    sizes = []
    for i, n in enumerate(wanted[1:], 1):
        if n == 0 and i >= len(own):
            raise ValueError(f"the shape {wanted} copies a size that (N, {own[1:]}) has not")
        sizes.append(own[i] if n == 0 else n)
    numbers = total(x.shape)
    known = math.prod(n or 0 for n in sizes if n != -1)
    if -1 in sizes and known and numbers % known == 0:
        sizes = [numbers // known if n == -1 else n for n in sizes]
    filled = -1 not in sizes and math.prod(n or 0 for n in sizes) == numbers
    if wanted[0] not in (BATCH, -1, self_batch(step)) or not filled:
        raise ValueError(f"samples must stay apart: a batch of {own[1:]} cannot become {wanted}")
    return _shaped(step, x, tuple(int(n or 0) for n in sizes))


def self_batch(step: Step) -> int:
    """Return the size of the batch that the file declares; -1 where it is any."""
    return -1 if step.network.batch is None else step.network.batch


def _shaped(step: Step, x: Value, sizes: tuple[int, ...]) -> Value:
    if sizes == x.file_shape:
        return x
    if len(sizes) == 1:
        return step.network.flattened(x, step.result)
    return step.add(Reshape(sizes, name=step.layer_name), step.network.plain(x))


def squeeze(step: Step) -> Value:
    """Squeeze: without axes of size 1."""
    x = step.value()
    own = x.file_shape
    axes = _axes(step)
    if axes is None:
        axes = [i for i, n in enumerate(own, 1) if n == 1]
    axes = [axis % (len(own) + 1) for axis in axes]
    if 0 in axes or any(own[axis - 1] != 1 for axis in axes):
        raise ValueError(f"axes {axes} of (N, {own}) cannot be left out")
    left = tuple(n or 0 for i, n in enumerate(own, 1) if i not in axes)
    total(x.shape)
    return _shaped(step, x, left)


def unsqueeze(step: Step) -> Value:
    """Unsqueeze: with axes of size 1."""
    x = step.value()
    total(x.shape)
    axes = _axes(step) or []
    count = len(x.shape) + 1 + len(axes)
    axes = [axis % count for axis in axes]
    if 0 in axes or len(set(axes)) < len(axes):
        raise ValueError(f"axes must be new ones after that of the batch, got {axes}")
    rest = iter(x.file_shape)
    return _shaped(step, x, tuple(1 if i in axes else next(rest) or 0 for i in range(1, count)))


def _axes(step: Step) -> list[int] | None:
    inputs = [None, step.constant(1, "axes")] if step.given(1) else []
    return axes_of(inputs, step.attributes)


def transpose(step: Step) -> Value:
    """Transpose; that of an image is a matter of what its axes are called."""
    x = step.value()
    order = step.attribute("perm", list(range(len(x.shape) + 1))[::-1])
    if sorted(order) != list(range(len(x.shape) + 1)) or order[0] != 0:
        raise ValueError(f"samples must stay apart: perm must begin with 0, got {order}")
    if order == sorted(order):
        return x
    if x.image and order == _TO_LAST:
        return Value(x.source, x.shape)
    if not x.image and order == _TO_FIRST:
        return Value(x.source, x.shape, image=True)
    return step.add(Permute(order[1:], name=step.layer_name), step.network.plain(x))


def pad(step: Step) -> Value:
    """Pad with zeros around an image."""
    x = step.network.image(step.value())
    pads = (
        [int(n) for n in step.constant(1, "pads")] if step.given(1) else step.attribute("pads", [])
    )
    value = step.number(2, "the value", step.attribute("value", 0.0))
    if step.given(3):
        raise ValueError("axes are not read")
    mode = step.attribute("mode", "constant")
    if mode != "constant" or value != 0 or len(pads) != 8 or any(pads[i] for i in (0, 1, 4, 5)):
        raise ValueError(f"only zeros around images are read, got {mode!r:.20}, {value:g}, {pads}")
    sides = ((pads[2], pads[6]), (pads[3], pads[7]))
    return step.add(ZeroPadding2D(sides, name=step.layer_name), x)
