"""Losses and metrics of outputs on a device.

What is a kernel's work stays there, and its numbers are taken up later, so that the host need not
wait for a step before it asks for the next. Other losses and metrics get copies on the host.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import backend
from pyconv._types import Array
from pyconv.layers._memory import Buffers
from pyconv.losses import CategoricalCrossentropy, SparseCategoricalCrossentropy
from pyconv.losses.loss import Loss
from pyconv.metrics import CategoricalAccuracy, SparseCategoricalAccuracy
from pyconv.metrics.metric import Metric
from pyconv.metrics.reduction import Mean

_LOSSES = CategoricalCrossentropy, SparseCategoricalCrossentropy
_METRICS = CategoricalAccuracy, SparseCategoricalAccuracy
_LABELS = np.float32, np.int64
_MOST_UNDER_WAY = 64

# An array on the device, and what takes up its values on the host, those of each step in a row.
Numbers = tuple[Any, Callable[[Array], None]]


class DeviceMeasures:
    """The work of one objective on a device, and its numbers that are under way to the host."""

    def __init__(self) -> None:
        self._buffers = Buffers("fit")
        self._scales: dict[tuple[int, ...], Any] = {}
        self._generation = -1
        self._under_way: deque[Numbers] = deque()
        self._staged: NDArray[Any] | None = None  # labels that are in the buffer
        self._buffer: Any = None
        self._recorded: list[Numbers] | None = None

    def __reduce__(self) -> Any:
        # A copy has batches of its own to come.
        return DeviceMeasures, ()

    def loss(
        self,
        loss: Loss,
        y: NDArray[Any],
        output: Any,
        scale: Array,
        unweighted: bool,
        gradient: bool,
    ) -> tuple[Any, Any]:
        """Return (loss of each row, gradient by ``output`` on the device, where it is wanted)."""
        if self._recorded is None:
            self._staged = None
        out = self._buffers.get("gradient", output.shape)
        if _is_native(loss, output.ndim):
            scale = self._scale(scale) if unweighted else backend.on_device(scale)
            return loss.call_with_gradient(self._labels(y, output.ndim), output, scale, out)
        if not gradient:
            return loss.rows(y, np.asarray(output)), None
        rows, on_host = loss.call_with_gradient(y, np.asarray(output), scale)
        out[...] = on_host
        return rows, out

    def metrics(
        self,
        metrics: list[Metric],
        unweighted: int,
        y: NDArray[Any],
        predicted: Any,
        weight: Array | None,
    ) -> None:
        """Update the metrics, those from number ``unweighted`` on with the weights."""
        on_host: Array | None = None
        if weight is not None:
            weight = weight.copy()  # the next batch may be there before the hits of this one
        for i, metric in enumerate(metrics):
            own = weight if i >= unweighted else None
            if type(metric) in _METRICS and y.dtype in _LABELS:
                hits = self._hits(predicted, y)
                self.later(hits, partial(_add_hits, metric, own))
                continue
            if on_host is None:
                on_host = np.asarray(predicted)
            if i < unweighted:
                metric.update_state(y, on_host)
            else:
                metric.update_state(y, on_host, sample_weight=weight)

    def later(self, rows: Any, take_up: Callable[[Array], None]) -> None:
        """Have ``take_up`` called with these numbers, once they are on the host."""
        if self._recorded is not None:
            self._recorded.append((rows, take_up))
            return
        if isinstance(rows, np.ndarray):
            self.take_up()
            take_up(rows[np.newaxis])
            return
        self._under_way.append((rows.fetch(), take_up))
        self._take_up_some()

    def _take_up_some(self) -> None:
        if len(self._under_way) > _MOST_UNDER_WAY:
            self.take_up(_MOST_UNDER_WAY // 2)

    def take_up(self, left: int = 0) -> None:
        """Wait for the numbers that are under way, but for the last ``left``."""
        while len(self._under_way) > left:
            fetched, take_up = self._under_way.popleft()
            if not isinstance(fetched, np.ndarray):
                fetched = fetched.numpy()[np.newaxis]
            take_up(fetched)

    def forget(self) -> None:
        """Leave out what is under way."""
        self._under_way.clear()

    def is_native(self, loss: Any, metrics: list[Metric], y: NDArray[Any], rank: int) -> bool:
        """Whether kernels do it all."""
        return (
            _is_native(loss, rank)
            and y.dtype in _LABELS
            and all(type(metric) in _METRICS for metric in metrics)
        )

    def stage(self, y: NDArray[Any], rank: int) -> None:
        """Bring the labels of the next batch to the device, for outputs of so many axes."""
        self._staged = None
        self._labels(y, rank)

    @property
    def is_recording(self) -> bool:
        """Whether the work is being recorded."""
        return self._recorded is not None

    @contextmanager
    def recording(self) -> Iterator[list[Numbers]]:
        """Within, numbers for the host are only noted, and labels are those that are staged."""
        numbers: list[Numbers] = []
        self._recorded = numbers
        try:
            yield numbers
        finally:
            self._recorded = None

    def take_again(self, numbers: list[Numbers]) -> None:
        """Take up what was noted, with the values that are there now."""
        for rows, take_up in numbers:
            if isinstance(rows, np.ndarray):
                # Many together, while Python's part of it is in the caches.
                self._under_way.append((rows[np.newaxis].copy(), take_up))
                self._take_up_some()
            else:
                self.later(rows, take_up)

    def take_rows(self, numbers: list[Numbers], values: list[Array]) -> None:
        """Take up ``values`` of what was noted, those of each step in a row."""
        self.take_up()
        for (_, take_up), rows in zip(numbers, values, strict=True):
            take_up(rows)

    def _labels(self, y: NDArray[Any], rank: int) -> Any:
        """Return the labels in a buffer on the device, of the type that kernels take.

        Class numbers are int64, and have an axis less than the outputs.
        """
        if self._staged is y:
            return self._buffer
        numbers = y.dtype == np.int64 and y.ndim < rank
        labels = y if numbers else y.astype(np.float32, copy=False)
        if backend.active is backend.cpu:
            return labels
        buffer = self._buffers.get(f"labels {labels.dtype}", labels.shape, labels.dtype)
        buffer.take(labels)
        self._staged, self._buffer = y, buffer
        return buffer

    def _hits(self, predicted: Any, y: NDArray[Any]) -> Any:
        labels = self._labels(y, predicted.ndim)
        classes = predicted.shape[-1]
        flat = (-1, classes) if labels.ndim == predicted.ndim else (-1,)
        hits = backend.active.argmax_hits(predicted.reshape(-1, classes), labels.reshape(flat))
        return hits.reshape(predicted.shape[:-1])

    def _scale(self, scale: Array) -> Any:
        """Return a copy on the device, which is kept: it is the same for each batch of a shape."""
        if self._generation != backend.generation or len(self._scales) > 16:
            self._scales.clear()
            self._generation = backend.generation
        known = self._scales.get(scale.shape)
        if known is None:
            known = self._scales[scale.shape] = backend.on_device(scale)
        return known


def _add_hits(metric: Metric, weight: Array | None, hits: Array) -> None:
    """Update a metric with the hits (steps, rows, ...); sums of zeros and ones are exact."""
    steps = hits.reshape(1, -1) if weight is None and hits.ndim == 2 else hits
    for rows in steps:
        Mean.update_state(metric, rows, weight)  # type: ignore[arg-type]


def _is_native(loss: Any, rank: int) -> bool:
    return (
        type(loss) in _LOSSES
        and loss.from_logits
        and not loss.masks
        and loss.axis in (-1, rank - 1)
    )
