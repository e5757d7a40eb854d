"""Strides, dilations and padding of convolutions and pooling as ONNX has them."""

from typing import Any

from pyconv._args import Pads, Pair, resolve_padding
from pyconv.onnx._network import Step, Value

Padding = str | Pads


def pair(step: Step, name: str, default: list[int] | None) -> Pair:
    """Return an attribute of two integers, such as strides."""
    found = step.attributes.get(name, default)
    if not isinstance(found, list) or len(found) != 2:
        raise ValueError(f"{name} must be two integers, as only images are read, got {found!r:.40}")
    return found[0], found[1]


def padding(step: Step, x: Value, kernel: Pair, strides: Pair, dilations: Pair) -> Padding:
    """Return the padding as layers take it; ``x`` is an image."""
    auto = step.attribute("auto_pad", "NOTSET")
    if auto == "VALID":
        return "valid"
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        h, w = x.shape[:2]
        if h is None or w is None:
            if auto == "SAME_UPPER":
                return "same"
            raise ValueError("auto_pad SAME_LOWER needs a known size; give input_shape")
        top, bottom, left, right = resolve_padding("same", (h, w), kernel, strides, dilations)
        if auto == "SAME_LOWER":
            top, bottom, left, right = bottom, top, right, left
        return (top, bottom), (left, right)
    if auto != "NOTSET":
        raise ValueError(f"auto_pad {auto!r:.40} is not known")
    pads = step.attributes.get("pads", [0, 0, 0, 0])
    if not isinstance(pads, list) or len(pads) != 4:
        raise ValueError(f"pads must be four integers, as only images are read, got {pads!r:.60}")
    if not any(pads):
        return "valid"
    return (pads[0], pads[2]), (pads[1], pads[3])


def with_ceiling(x: Value, kernel: Pair, strides: Pair, pads: Padding) -> Padding:
    """Return padding with which the last window, if it lies partly outside, counts."""
    if pads == "same":
        return pads
    found: Any = ((0, 0), (0, 0)) if isinstance(pads, str) else pads
    sides = []
    for size, k, stride, (before, after) in zip(x.shape[:2], kernel, strides, found, strict=True):
        if size is None:
            raise ValueError("ceil_mode needs a known size; give input_shape")
        windows = -(-(size + before + after - k) // stride) + 1
        if (windows - 1) * stride >= size + before:
            windows -= 1  # it would begin in the padding behind the image
        sides.append((before, max(after, (windows - 1) * stride + k - size - before)))
    return (sides[0], sides[1]) if any(map(any, sides)) else "valid"
