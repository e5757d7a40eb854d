"""Batches of an ``ImageDataGenerator``'s flow, made in buffers that are used again."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._convert import is_native
from pyconv._types import Array
from pyconv.batches import Batch, Rows
from pyconv.layers._memory import Buffers
from pyconv.preprocessing._generator import ImageDataGenerator
from pyconv.preprocessing._iterator import NumpyArrayIterator


def takes_flow(source: Any) -> bool:
    """Whether batches can be made of ``source`` natively, from beginning to end."""
    return (
        type(source) is NumpyArrayIterator
        and type(source.generator) is ImageDataGenerator
        and source.generator._is_native
        and source.y is not None
    )


class FlowBatches:
    """The batches of a flow by number, for ``StreamBatches``.

    Args:
        flow: what ``ImageDataGenerator.flow`` returned, with labels.
        y: its labels, checked.
        sample_weight: its weights, checked, or None.
        brought: puts a batch's images where the model takes them.
    """

    def __init__(
        self,
        flow: NumpyArrayIterator,
        y: NDArray[Any],
        sample_weight: Array | None,
        brought: Callable[[Array], Array],
    ) -> None:
        self._flow = flow
        self._brought = brought
        self._buffers = Buffers("fit", on_host=True)
        self._y = Rows(y, "y", on_host=True)
        self._weight = None
        if sample_weight is not None:
            self._weight = Rows(sample_weight, "sample_weight", on_host=True)

    @property
    def are_native(self) -> bool:
        """Whether operations alone make all of a batch, in buffers, as the generator is now."""
        flow = self._flow
        return is_native(flow.x) and self._y.are_native and flow.generator._draws_stages

    def __len__(self) -> int:
        return len(self._flow)

    def __getitem__(self, index: int) -> NDArray[np.int64]:
        """Return the rows of a batch; ``batch`` makes it of them."""
        return self._flow._rows(index)

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """Return the batch of the rows that were asked for last."""
        flow = self._flow
        out = self._buffers.get("x", (len(rows), *flow.x.shape[1:]))
        x = flow.generator._changed_into(flow._changes(rows), flow.x, rows, out)
        weight = None if self._weight is None else self._weight.take(rows)
        return Batch(self._brought(x), self._y.take(rows), weight, in_buffers=True)

    def on_epoch_end(self) -> None:
        """Begin a new pass."""
        self._flow.on_epoch_end()
