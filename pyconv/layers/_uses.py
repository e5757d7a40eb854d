"""Layers that a network uses several times: one set of weights, whose gradients add up."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pyconv import backend
from pyconv._derived import Derived, derive
from pyconv._types import Array
from pyconv.layers._path import Path
from pyconv.layers.layer import Layer


class _Total:
    """The gradients of a layer's weights, added up over its uses in one pass."""

    def __init__(self) -> None:
        self.uses = 1
        self.grads: list[Array] = []
        self._is_new = True

    def begin(self) -> None:
        """Expect the gradients of another pass."""
        self._is_new = True

    def add(self, parts: list[Array]) -> None:
        """Take up the gradients of one use."""
        self.fit(parts)
        for total, part in zip(self.grads, parts, strict=True):
            if self._is_new:
                total[...] = part
            else:
                total += part
        self._is_new = False

    def fit(self, parts: list[Array]) -> list[Array]:
        """Return the sums, with zeros where their number or shapes are others."""
        if [total.shape for total in self.grads] != [part.shape for part in parts]:
            self.grads = [backend.zeros(part.shape, np.float32) for part in parts]
        return self.grads


class Shared(Derived):
    """A layer that is used several times; here it is used for the first time."""

    _total: Any = None
    _at_work = False

    @property
    def grads(self: Any) -> list[Array]:
        """The gradients of ``params``: the sums over all uses."""
        own: list[Array] = super().grads  # type: ignore[misc]
        return own if self._at_work or self._total is None else self._total.fit(own)

    @property
    def update_grads(self: Any) -> list[Any]:
        """The gradients as the optimizer of a training step takes them."""
        return list(self.grads)

    def forward(self: Any, x: Any, training: bool, **options: Any) -> Any:
        """Return the layer's result."""
        if self._total is not None:
            self._total.begin()
        self._at_work = True
        try:
            return super().forward(x, training, **options)  # type: ignore[misc]
        finally:
            self._at_work = False

    def backward(self: Any, dy: Any, need_dx: bool, **options: Any) -> Any:
        """Add to ``grads``; return the gradient of x where it is needed."""
        self._at_work = True
        try:
            dx = super().backward(dy, need_dx, **options)  # type: ignore[misc]
            if self.trainable and self._total is not None:
                self._total.add(list(super().grads))  # type: ignore[misc]
        finally:
            self._at_work = False
        return dx

    def enable_lora(self: Any, *args: Any, **kwargs: Any) -> None:
        """Refuse: all uses would have to change."""
        raise NotImplementedError(
            f"{self.label}: enable_lora: it is used several times; enable it before the layer is "
            "called a second time"
        )


class Use(Shared):
    """Another use of a layer: it has no weights of its own."""

    use_of: Any

    @property
    def learns(self) -> bool:
        """Whether ``backward`` has gradients to add."""
        return bool(self.use_of.learns)

    @property
    def params(self: Any) -> list[Array]:
        """The arrays that training changes: those of the layer's first use."""
        return super().params if self._at_work else []  # type: ignore[misc]

    @property
    def grads(self: Any) -> list[Array]:
        """The gradients of ``params``."""
        return super().grads if self._at_work else []

    @property
    def named_weights(self) -> dict[str, Array]:
        """No weights."""
        return {}

    @property
    def weights_of_files(self) -> dict[str, Array]:
        """No weights."""
        return {}

    @property
    def non_trainable_weights(self) -> list[Array]:
        """No weights."""
        return []

    def weight_penalties(self) -> list[float]:
        """Return none: they count once."""
        return []

    def forward(self: Any, x: Any, training: bool, **options: Any) -> Any:
        """Return the layer's result."""
        for own, first in zip(_within(self), _within(self.use_of), strict=True):
            if own.trainable != first.trainable:
                own.trainable = first.trainable
        return super().forward(x, training, **options)

    def get_state(self) -> dict[str, int]:
        """Return nothing: files have the state of the first use."""
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take nothing up."""


def another_use(layer: Any) -> Any:
    """Return a layer that does the same with the same weights, for another place in a network.

    The gradients of ``layer`` are from now on the sums over its uses.

    Raises:
        NotImplementedError: the layer holds something that cannot be copied.
    """
    layer = layer.use_of or layer
    derive(layer, Shared)
    if layer._total is None:
        layer._total = _Total()
    memo: dict[int, Any] = {id(layer._total): layer._total}
    for part in _within(layer):
        for kept in (part._weights, part._untrained, *part._weights.values()):
            memo[id(kept)] = kept
    for weight in (*layer.weights, *getattr(layer, "_seeds", ())):
        memo[id(weight)] = weight
    mask, layer.mask_source = layer.mask_source, None
    try:
        use = copy.deepcopy(layer, memo)
    except (TypeError, AttributeError) as error:
        raise NotImplementedError(
            f"{layer.label}: it is used twice, and cannot be copied for that ({error}); make a "
            "layer for each use"
        ) from error
    finally:
        layer.mask_source = mask
    layer._total.uses += 1
    number = layer._total.uses
    derive(use, Use)
    use.use_of, use.name = layer, f"{layer.name}:{number}"
    for part in _within(use):
        part.weight_regularizers, part.weight_constraints = {}, {}
        if hasattr(part, "_stream"):
            part._stream = (part._stream + number) % 2**63  # other numbers than the first use
    return use


def _within(layer: Any) -> Iterator[Any]:
    """Give a layer and all that it holds."""
    waiting, seen = [layer], set()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, Layer):
            yield found
            own = vars(found)
            waiting += [own[name] for name in own if name not in ("mask_source", "use_of")]
        elif isinstance(found, Path):
            waiting += found.layers
        elif isinstance(found, (list, tuple)):
            waiting += found
        elif isinstance(found, dict):
            waiting += found.values()
