"""What a compiled model makes small, and what it measures: the loss and the metrics."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import backend, metrics
from pyconv._device_measures import DeviceMeasures
from pyconv._spans import span
from pyconv._types import Array, Shape
from pyconv.layers._memory import Buffers
from pyconv.losses.crossentropy import fitting
from pyconv.losses.loss import Loss, fitted
from pyconv.metrics.metric import Metric
from pyconv.metrics.reduction import weights_of_counted

_OF_CLASS_NUMBERS = metrics.SparseCategoricalAccuracy, metrics.SparseTopKCategoricalAccuracy


class Objective:
    """The loss and the metrics of a model, and their means over an epoch.

    Args:
        loss: the loss.
        loss_weight: a factor of the loss.
        metric_ids: names, functions or ``Metric`` objects.
        weighted_metric_ids: the same, to be taken with the sample weights.
    """

    def __init__(
        self,
        loss: Loss,
        loss_weight: float,
        metric_ids: list[Any],
        weighted_metric_ids: list[Any],
    ) -> None:
        if loss.reduction == "none":
            raise ValueError(
                f"compile: loss must be one number, got {loss.name} with reduction='none'; use "
                "'sum_over_batch_size' or 'sum'"
            )
        self.loss = loss
        self._on_logits = loss.on_logits()
        self._weight = loss_weight
        self._ids = metric_ids, weighted_metric_ids
        for identifier in (*metric_ids, *weighted_metric_ids):
            if not is_by_shapes(identifier):
                metrics.get(identifier)
        self._metrics: list[Metric] = []
        self._names: list[str] = []
        self._unweighted = 0
        self._resolved = False
        self._buffers = Buffers("fit")
        self._scales: dict[tuple[int, ...], Array] = {}
        self._measures = DeviceMeasures()
        # Metrics of the model beside those of compile, and whether it is trained on inputs alone.
        self.others: Callable[[], Sequence[Metric]] = tuple
        self.has_no_targets = False
        self._given: dict[str, Any] | None = None
        self.reset()

    @property
    def loss_weight(self) -> float:
        """The factor of the loss."""
        return self._weight

    @property
    def measures(self) -> DeviceMeasures:
        """What measures outputs on a device."""
        return self._measures

    @property
    def scales(self) -> list[Array]:
        """The arrays that losses are multiplied by, of the shapes of outputs so far."""
        return list(self._scales.values())

    def is_native(self, y: NDArray[Any], rank: int, logits: bool) -> bool:
        """Whether kernels do all of ``measure`` for outputs of so many axes on a device."""
        loss = self._on_logits if logits and self._on_logits is not None else self.loss
        return self._measures.is_native(loss, self._metrics, y, rank)

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, with all batches so far."""
        self._measures.take_up()
        return self._metrics

    def resolve(self, y: NDArray[Any], output_shape: Shape) -> None:
        """Make the metrics; what 'accuracy' means depends on the shapes."""
        if self._resolved:
            return
        self._on_logits = self.loss.on_logits()
        made = [[resolved(i, y, output_shape) for i in ids] for ids in self._ids]
        self._metrics = [*made[0], *made[1]]
        self._unweighted = len(made[0])
        self._names = _unique_names(made[0], made[1])
        self._resolved = True

    def takes_logits(self, ends_in_softmax: bool) -> bool:
        """Whether the loss is to be taken from what the last softmax of the network is given."""
        return ends_in_softmax and self._on_logits is not None

    def measure(
        self,
        y: NDArray[Any],
        output: Array,
        weight: Array | None,
        logits: bool,
        gradient: bool,
        mask: Any = None,
    ) -> Array | None:
        """Take up a batch; return the loss's gradient by ``output``, in a buffer, if asked for.

        ``output`` holds logits where ``logits`` is true, in the sense of ``takes_logits``; ``mask``
        is that of the output, of a model of several outputs a list, None where all counts.
        """
        grad: Array | None = None
        with span("loss"):
            loss = self._on_logits if logits and self._on_logits is not None else self.loss
            if isinstance(mask, list):
                loss.take_masks(mask)
                mask = None
            scale = self._scale(loss, y, output.shape, weight, mask)
            if backend.active is not backend.cpu:
                alike = weight is None and mask is None and not loss.masks
                rows, grad = self._measures.loss(loss, y, output, scale, alike, gradient)
                self._measures.later(rows, lambda values: self._add_losses(values, scale))
            elif gradient:
                out = self._buffers.get("gradient", output.shape)
                rows, grad = loss.call_with_gradient(y, output, scale, out)
                self._measures.later(rows, lambda values: self._add_losses(values, scale))
            else:
                self._add_losses(loss.rows(y, output)[np.newaxis], scale)
        if self._metrics:
            with span("metrics"):
                self._update_metrics(y, output, weight, logits, mask)
        return grad

    def _add_losses(self, rows: Array, scale: Array) -> None:
        """Take up the losses (steps, rows, ...) of some steps."""
        scaled = np.multiply(rows, scale, dtype=np.float64)
        samples = rows.shape[1]
        for value in scaled.reshape(len(rows), -1).sum(axis=1).tolist():
            self._loss_total += value * samples
            self._loss_count += samples

    def add_loss(self, value: float, samples: int) -> None:
        """Take up the loss of a batch of so many samples, with what regularizers take."""
        self._loss_total += value * samples
        self._loss_count += samples

    def mean_loss(self) -> float:
        """Return the mean loss so far."""
        return self._loss_total / self._loss_count if self._loss_count else 0.0

    def forget_loss(self) -> None:
        """Forget the losses so far."""
        self._loss_total, self._loss_count = 0.0, 0

    def update_metrics(
        self, y: NDArray[Any], output: Array, weight: Array | None, mask: Any = None
    ) -> None:
        """Take up a batch in the metrics."""
        self._update_metrics(y, output, weight, False, mask)

    def give(self, results: Mapping[str, Any]) -> None:
        """Have ``results`` return what a step of the user's own did, until ``reset``."""
        self._given = dict(_numbers(results))

    def add_penalty(self, value: float, samples: int) -> None:
        """Add to the loss of a batch of so many samples what regularizers take."""
        self._penalty_total += value * samples
        self._penalty_count += samples

    def _update_metrics(
        self, y: NDArray[Any], output: Array, weight: Array | None, logits: bool, mask: Any
    ) -> None:
        predicted = output
        if logits:
            predicted = self._buffers.get("probabilities", output.shape)
            backend.active.softmax_forward(output, predicted)
        if self.loss.masks or mask is not None:
            self._update_masked(y, np.asarray(predicted), weight, mask)
            return
        if backend.active is not backend.cpu or self._measures.is_recording:
            self._measures.metrics(self._metrics, self._unweighted, y, predicted, weight)
            return
        for metric in self._metrics[: self._unweighted]:
            metric.update_state(y, predicted)
        for metric in self._metrics[self._unweighted :]:
            metric.update_state(y, predicted, sample_weight=weight)

    def _update_masked(
        self, y: NDArray[Any], predicted: Array, weight: Array | None, mask: Any
    ) -> None:
        """Update the metrics where rows are left out, as Keras does.

        By the output's mask they are left out of the means of rows; a label that the loss ignores
        and that is no class is no hit.
        """
        kept = None
        if self.loss.masks:
            kept = self.loss.row_mask(y) | ((y >= 0) & (y < predicted.shape[-1]))
        for i, metric in enumerate(self._metrics):
            own = weight if i >= self._unweighted else None
            if mask is not None:
                own = masked_weights(metric, predicted, own, mask)
            if kept is not None and isinstance(metric, _OF_CLASS_NUMBERS):
                rows = metric.rows(np.where(kept, y, 0), predicted) * kept
                metrics.Mean.update_state(metric, rows, own)
            elif own is None:
                metric.update_state(y, predicted)
            else:
                metric.update_state(y, predicted, sample_weight=own)

    def reset(self) -> None:
        """Forget the batches so far."""
        self.forget_loss()
        self._penalty_total, self._penalty_count = 0.0, 0
        self._given = None
        self._measures.forget()
        for metric in (*self._metrics, *self.others()):
            metric.reset_state()

    def results(self) -> dict[str, Any]:
        """Return the means since ``reset``: the loss, then the metrics in the order given.

        A metric that gives several numbers is an array, or, where it names them, several metrics.
        """
        return self.measured() if self._given is None else self._given

    def measured(self) -> dict[str, Any]:
        """Return the means themselves, whatever a step of the user's own returned."""
        self._measures.take_up()
        loss = self.mean_loss()
        if self._penalty_count:
            loss += self._penalty_total / self._penalty_count
        results: dict[str, Any] = {"loss": loss}
        named = zip(self._names, self._metrics, strict=True)
        results.update(_numbers({name: metric.result() for name, metric in named}))
        results.update(_numbers({metric.name: metric.result() for metric in self.others()}))
        return results

    def names(self) -> list[str]:
        """Return the keys of ``results``."""
        return ["loss", *self._names]

    def _scale(
        self, loss: Loss, y: NDArray[Any], shape: tuple[int, ...], weight: Array | None, mask: Any
    ) -> Array:
        alike = weight is None and mask is None and not loss.masks
        known = self._scales.get(shape) if alike else None
        if known is not None:
            return known
        rows = loss.rows_shape(shape)
        scale = loss.row_scale(rows, weight, counted_rows(loss, y, rows, mask))
        scale *= np.float32(self._weight)
        if alike:
            # Full batches and the last one: more shapes than these come only from a stream.
            if len(self._scales) > 16:
                self._scales.clear()
            self._scales[shape] = scale
        return scale


def counted_rows(
    loss: Loss, y: NDArray[Any], rows: tuple[int, ...], mask: Any
) -> NDArray[np.bool_] | None:
    """Return which rows of a loss count, by the labels and the output's mask; None for all."""
    kept = loss.row_mask(y) if loss.masks else None
    if mask is None:
        return kept
    own = fitted(loss.name, mask, rows)
    return own if kept is None else own & kept


def masked_weights(metric: Metric, predicted: Array, weight: Array | None, mask: Any) -> Any:
    """Return the weights of rows for a metric of an output with a mask."""
    if not isinstance(metric, metrics.MeanMetricWrapper):
        return weight
    counts = fitted(metric.name, mask, predicted.shape[: np.ndim(mask)])
    return weights_of_counted(counts, weight)


def _numbers(results: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give results by name, those within dicts too."""
    for name, value in results.items():
        if isinstance(value, Mapping):
            yield from _numbers(value)
        else:
            yield name, _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, float) or np.size(value) == 1:
        return float(np.reshape(value, ()))
    return np.array(value)


def is_by_shapes(identifier: Any) -> bool:
    names = ("accuracy", "acc", "crossentropy", "ce")
    return isinstance(identifier, str) and identifier.lower() in names


def resolved(identifier: Any, y: NDArray[Any], output_shape: Shape) -> Metric:
    if not is_by_shapes(identifier):
        found: Metric = metrics.get(identifier)
        return found
    if identifier.lower() in ("crossentropy", "ce"):
        kind = fitting(y.shape, output_shape).__name__
        return getattr(metrics, kind)(identifier)  # type: ignore[no-any-return]
    if output_shape[-1] == 1:
        return metrics.BinaryAccuracy(identifier)
    if y.ndim < len(output_shape) or y.shape[-1] == 1:
        return metrics.SparseCategoricalAccuracy(identifier)
    return metrics.CategoricalAccuracy(identifier)


def _unique_names(plain: list[Metric], weighted: list[Metric]) -> list[str]:
    """Return a key for each metric; a second of one name gets ``weighted_`` or a number."""
    names = ["loss"]
    for metric, prefix in [(m, "") for m in plain] + [(m, "weighted_") for m in weighted]:
        name = metric.name
        if name in names:
            name = prefix + name
        base, number = name, 1
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names[1:]
