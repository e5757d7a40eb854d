"""Masks on arrays, and which mask the result of a layer has."""

import warnings
from typing import Any

import numpy as np

from pyconv import layers as plain
from pyconv.layers._masks import as_bool
from pyconv.layers._merge import Merge

# Layers that leave out what is masked; all others pass a mask on, or lose it.
TAKE_MASKS = (plain.BatchNormalization, plain.GlobalAveragePooling1D, plain.Softmax)
_END_MASKS = (plain.GlobalAveragePooling1D, plain.Dot)


class SymbolicMask:
    """The mask of a tensor that is to be computed."""

    dtype = "bool"

    def __init__(self, shape: tuple[int | None, ...]) -> None:
        self.shape = tuple(shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)


def masks_of(x: Any) -> Any:
    """Return the mask of an array, of a list of arrays a list of masks; None where there is none.

    Of a list in which some have a mask, the others have None.
    """
    if isinstance(x, (list, tuple)):
        found = [masks_of(part) for part in x]
        return None if all(mask is None for mask in found) else type(x)(found)
    if isinstance(x, dict):
        named = {key: masks_of(part) for key, part in x.items()}
        return None if all(mask is None for mask in named.values()) else named
    return getattr(x, "_keras_mask", None)


def set_masks(y: Any, masks: Any) -> Any:
    """Give arrays their masks, where they have none yet; return the arrays."""
    if masks is None:
        return y
    if isinstance(y, (list, tuple)):
        given = masks if isinstance(masks, (list, tuple)) else [masks] * len(y)
        return type(y)(set_masks(part, mask) for part, mask in zip(y, given, strict=False))
    if hasattr(y, "_keras_mask") and y._keras_mask is None:
        y._keras_mask = masks
    return y


def of_result(layer: Any, inputs: Any, mask: Any) -> Any:
    """Return the mask of what a layer of Keras's gives for inputs of this mask."""
    if isinstance(layer, plain.Masking):
        return _where_not(layer, inputs)
    if isinstance(layer, _END_MASKS):
        return None
    if not isinstance(layer, Merge):
        return mask
    if mask is None:
        return None
    for name, value in (("mask", mask), ("inputs", inputs)):
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{layer.label}: `{name}` should be a list, got {value!r:.60}")
    if len(mask) != len(inputs):
        raise ValueError(
            f"{layer.label}: The lists `inputs` and `mask` should have the same length, got "
            f"{len(inputs)} inputs and {len(mask)} masks"
        )
    if isinstance(layer, plain.Concatenate):
        return _concatenated(layer.axis, inputs, mask)
    return None if any(one is None for one in mask) else _either(mask)


def without_masked(layer: Any, xs: Any, masks: Any) -> Any:
    """Return the inputs of a merging layer such that what is masked changes nothing, as in Keras.

    Sums and the like take masked numbers as they are: behind a ``Masking`` they are 0.
    """
    if masks is None or not isinstance(layer, (plain.Maximum, plain.Minimum, plain.Multiply)):
        return xs
    arrays = [np.asarray(x) for x in xs]
    kept = [
        np.ones((1,) * x.ndim, bool) if mask is None else as_bool(mask)[..., None]
        for x, mask in zip(arrays, masks, strict=True)
    ]
    # Of a product 1, and 0 where all are masked; else the first one that is not.
    neutral: Any = np.logical_or.reduce(np.broadcast_arrays(*kept)).astype(arrays[0].dtype)
    if not isinstance(layer, plain.Multiply):
        neutral = arrays[0]
        for x, mask in zip(arrays[::-1], kept[::-1], strict=True):
            neutral = np.where(mask, x, neutral)
    return [np.where(mask, x, neutral) for x, mask in zip(arrays, kept, strict=True)]


def lost(layer: Any) -> None:
    """Warn that a layer does not pass a mask on."""
    warnings.warn(
        f"Layer '{layer.name}' (of type {type(layer).__name__}) was passed an input with a mask "
        "attached to it. However, this layer does not support masking and will therefore destroy "
        "the mask information. Downstream layers will not see the mask.",
        stacklevel=5,
    )


def _where_not(layer: Any, x: Any) -> Any:
    if hasattr(x, "activated") and not isinstance(x, np.ndarray):  # a tensor
        return SymbolicMask(x.shape[:-1])
    return layer.found(x)


def _either(masks: Any) -> Any:
    symbolic = [mask for mask in masks if isinstance(mask, SymbolicMask)]
    return symbolic[0] if symbolic else np.logical_or.reduce([np.asarray(m) for m in masks])


def _concatenated(axis: int, inputs: Any, masks: Any) -> Any:
    if all(mask is None for mask in masks):
        return None
    if any(isinstance(part, SymbolicMask) for part in masks):
        shape = [*max((part.shape for part in inputs), key=len)]
        sizes = [part.shape[axis] for part in inputs]
        shape[axis] = None if None in sizes else sum(sizes)
        return SymbolicMask(tuple(shape[:-1]))
    parts = []
    for x, mask in zip(inputs, masks, strict=True):
        found = np.ones(x.shape, bool) if mask is None else np.asarray(mask) != 0
        if found.ndim < x.ndim:
            found = np.broadcast_to(found[..., None], x.shape)
        parts.append(found)
    return np.any(np.concatenate(parts, axis), axis=-1)
