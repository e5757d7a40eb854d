"""Masks: which steps of a batch count, from a ``Masking`` to the layers behind it that ask."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.layers.layer import Layer

# The layers through which a mask passes, beside those of the user's own.
_KEEP = frozenset(
    [
        *("Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dense"),
        *("Dropout", "ELU", "GaussianDropout", "GaussianNoise", "GroupNormalization", "Identity"),
        *("LayerNormalization", "LeakyReLU", "Masking", "Normalization", "PReLU", "ReLU"),
        *("RMSNormalization", "Rescaling", "Softmax", "UnitNormalization"),
        *("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"),
    ]
)
# Those behind which there is none.
_END = frozenset(["Dot", "GlobalAveragePooling1D"])
# Those whose results Keras takes from the inputs that are not masked.
_CHANGE = frozenset(["Maximum", "Minimum", "Multiply"])


class Either:
    """The mask of what several masked results were merged to: where one of them counts."""

    def __init__(self, sources: Sequence[Any]) -> None:
        self._sources = list(sources)

    @property
    def mask(self) -> Any:
        """The mask of the last forward."""
        return np.logical_or.reduce([source.mask for source in self._sources])


def link(nodes: Sequence[tuple[Any, tuple[int, ...]]]) -> None:
    """Tell layers behind a ``Masking`` where they find the mask.

    Args:
        nodes: layers, each with the numbers of what it takes, as ``Graph`` has them.
    """
    found: list[Any] = [None]
    for layer, sources in nodes:
        before = [found[source] for source in sources]
        whole = None if any(one is None for one in before) else before[0]
        if whole is not None and len(set(map(id, before))) > 1:
            whole = Either(before)
        if any(one is not None for one in before) and type(layer).__name__ in _CHANGE:
            raise NotImplementedError(
                f"{layer.label}: inputs with a mask are not supported in a model; use Add, Average "
                "or Concatenate"
            )
        layer.mask_source = whole
        found.append(source_behind(layer))


def source_behind(layer: Any) -> Any:
    """Return what has the mask of a layer's result, once it is linked; None where all counts."""
    while type(layer).__name__ == "Graph":
        layer = layer.nodes[-1][0]
    name = type(layer).__name__
    if name == "Masking":
        return layer
    keeps = name in _KEEP or (getattr(layer, "supports_masking", False) and name not in _END)
    return layer.mask_source if keeps else None


def as_bool(mask: Any) -> NDArray[np.bool_]:
    """Return a mask of numbers or truth values as truth values."""
    array = np.asarray(mask)
    return array if array.dtype == np.bool_ else array > 0.5


def broadcastable(owner: Layer, mask: Any, x: Array) -> NDArray[np.bool_]:
    """Return the mask of numbers of ``x``, whose axes are those of x or 1."""
    found = as_bool(mask)
    if found.ndim > x.ndim:
        raise ValueError(
            f"{owner.label}: mask must be broadcastable to the input and must not have more "
            f"dimensions, got a mask {found.shape} and an input {x.shape}"
        )
    pairs = zip(found.shape[::-1], x.shape[::-1], strict=False)
    if any(m not in (1, n) for m, n in pairs):
        raise ValueError(
            f"{owner.label}: mask must be broadcastable to the input, each axis 1 or as long as "
            f"the input's, got a mask {found.shape} and an input {x.shape}"
        )
    return found


def of_steps(owner: Layer, mask: Any, x: Array) -> NDArray[np.bool_]:
    """Return the mask of x's cells: of its shape without the last axis."""
    found = as_bool(mask)
    if found.ndim != x.ndim - 1:
        raise ValueError(
            f"{owner.label}: The mask provided should be one dimension less than the inputs, got "
            f"a mask {found.shape} and an input {x.shape}"
        )
    return np.broadcast_to(found, x.shape[:-1])
