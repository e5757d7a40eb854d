"""Loss and metrics of several outputs, which a model has side by side in one array."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import metrics as metrics_module
from pyconv import objective
from pyconv._scalars import Number
from pyconv._types import Array, Shape
from pyconv.losses.loss import Loss
from pyconv.metrics.metric import Metric


@dataclass
class Output:
    """An output: its columns, and those of its targets, once they are known."""

    name: str
    shape: tuple[int, ...]  # of a sample
    columns: slice
    loss: Loss | None = None
    weight: float = 1.0
    target_shape: tuple[int, ...] | None = None
    first_target: int = 0
    weight_column: int = -1
    of_classes: bool = False
    total: float = 0.0
    count: int = 0
    mask: Any = None  # of the batch under way

    def predicted(self, p: Array) -> Array:
        """Return the output, of its own shape."""
        return np.ascontiguousarray(p[:, self.columns]).reshape(len(p), *self.shape)

    def targets(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return its targets, of their own shape."""
        assert self.target_shape is not None
        last = self.first_target + math.prod(self.target_shape)
        own = y[:, self.first_target : last].reshape(len(y), *self.target_shape)
        return own.astype(np.int64) if self.of_classes else own

    def weights(self, y: NDArray[Any]) -> Array:
        """Return the weights of samples."""
        return y[:, self.weight_column].astype(np.float32)


class OutputsLoss(Loss):
    """The sum of the losses of outputs, each times its weight.

    Args:
        outputs: the outputs; those without a loss are left out.
    """

    def __init__(self, outputs: list[Output]) -> None:
        super().__init__("loss", "sum")
        self.outputs = [output for output in outputs if output.loss is not None]
        self._all = outputs

    def take_masks(self, masks: list[Any]) -> None:
        """Take the mask of each output."""
        for output, mask in zip(self._all, masks, strict=True):
            output.mask = mask

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return ``y``, which is checked when it is put together."""
        return np.asarray(y)

    def rows(self, y_true: NDArray[Any], y_pred: Array) -> Array:
        """Return the share of each sample in the loss."""
        return self._measured(y_true, y_pred, None)

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (the share of each sample, the gradient)."""
        gradient = np.zeros(y_pred.shape, np.float32) if out is None else out
        gradient[...] = 0
        rows = self._measured(y_true, y_pred, gradient)
        if (row_scale != 1).any():
            gradient *= row_scale[:, None]
        return rows, gradient

    def _measured(self, y: NDArray[Any], p: Array, gradient: Array | None) -> Array:
        shares = np.zeros(len(p), np.float64)
        for output in self.outputs:
            loss = output.loss
            assert loss is not None
            own, targets = output.predicted(p), output.targets(y)
            scale = self._scale(output, loss, targets, own, output.weights(y))
            if gradient is None:
                rows = loss.rows(targets, own)
            else:
                by_row = np.asarray(scale * np.float32(output.weight), np.float32)
                rows, part = loss.call_with_gradient(targets, own, by_row)
                gradient[:, output.columns] += part.reshape(len(p), -1)
            share = np.multiply(rows, scale, dtype=np.float64).reshape(len(p), -1).sum(axis=1)
            output.total += float(share.sum()) * len(p)
            output.count += len(p)
            shares += output.weight * share
        return shares.astype(np.float32)

    @staticmethod
    def _scale(output: Output, loss: Loss, y: NDArray[Any], p: Array, weight: Array) -> Array:
        shape = loss.rows_shape(p.shape)
        weight = weight.reshape((-1,) + (1,) * (len(shape) - 1))
        return loss.row_scale(shape, weight, objective.counted_rows(loss, y, shape, output.mask))


class OutputLoss(Metric):
    """The mean of one output's loss, as the loss of all has taken it up."""

    _direction = "down"

    def __init__(self, output: Output) -> None:
        super().__init__(name=f"{output.name}_loss")
        self._output = output

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the loss is measured before the metrics."""

    def result(self) -> Any:
        """Return the mean."""
        output = self._output
        return Number(output.total / output.count if output.count else 0.0)

    def reset_state(self) -> None:
        """Forget the batches so far."""
        self._output.total, self._output.count = 0.0, 0


class OutputMetric(Metric):
    """A metric of one output.

    Args:
        output: the output.
        identifier: what ``metrics.get`` takes, or 'accuracy', which the shapes tell.
        name: its name in logs.
        weighted: whether the output's own weights of samples count.
    """

    def __init__(self, output: Output, identifier: Any, name: str, weighted: bool) -> None:
        super().__init__(name=name)
        self._output, self._identifier, self._weighted = output, identifier, weighted
        self._metric: Metric | None = None
        if not objective.is_by_shapes(identifier):
            self._metric = metrics_module.get(identifier)
            self._direction = self._metric._direction

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up a batch of all outputs."""
        own, targets = self._output.predicted(y_pred), self._output.targets(y_true)
        if self._metric is None:
            self._metric = objective.resolved(self._identifier, targets, (None, *own.shape[1:]))
        weights: Any = self._output.weights(y_true) if self._weighted else None
        if self._output.mask is not None:
            weights = objective.masked_weights(self._metric, own, weights, self._output.mask)
        if weights is None:
            self._metric.update_state(targets, own)
        else:
            self._metric.update_state(targets, own, sample_weight=weights)

    def result(self) -> Any:
        """Return the metric's result."""
        return Number(0.0) if self._metric is None else self._metric.result()

    def reset_state(self) -> None:
        """Forget the batches so far."""
        if self._metric is not None:
            self._metric.reset_state()


def named_metrics(output: Output, plain: list[Any], weighted: list[Any]) -> list[list[Metric]]:
    """Return the metrics of an output, without and with weights."""
    names = [_name(identifier) for identifier in plain]
    made: list[list[Metric]] = [[], []]
    for identifier, name in zip(plain, names, strict=True):
        made[0].append(OutputMetric(output, identifier, f"{output.name}_{name}", False))
    for identifier in weighted:
        name = _name(identifier)
        name = f"weighted_{name}" if name in names else name
        made[1].append(OutputMetric(output, identifier, f"{output.name}_{name}", True))
    return made


def _name(identifier: Any) -> str:
    if isinstance(identifier, str):
        return identifier
    found: str = metrics_module.get(identifier).name
    return found
