"""The base of every loss: reduction, and what the training loop asks of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _targets
from pyconv._args import is_one_of, shown
from pyconv._names import auto_name
from pyconv._scalars import Number
from pyconv._types import Array, Shape
from pyconv.losses._numeric import differences, folded

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


class Loss:
    """A loss and its gradient, reduced over the batch.

    A loss of one's own has a ``call(y_true, y_pred)``, of float32 arrays, which returns the loss
    of each sample (or of each cell of it, or one number for the batch). Its gradient is taken by
    central differences, two calls for each output of a sample; a ``call_with_gradient`` of one's
    own is faster and exact.

    Args:
        name: the loss's name; by default the class in snake case, counted.
        reduction: 'sum_over_batch_size' (or 'mean': divided by the number of rows, whatever the
            weights), 'sum', 'mean_with_sample_weight' (divided by the sum of the weights as
            given), or 'none' (or None: the loss of each row; not to be trained with).
        dtype: None or 'float32'.

    Raises:
        ValueError: an argument is not one of these.

    Example:
        >>> import numpy as np, pyconv
        >>> class Cubed(pyconv.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return np.mean(abs(y_true - y_pred) ** 3, axis=-1)
        >>> Cubed()([[0.0, 1.0], [0.0, 0.0]], [[2.0, 1.0], [0.0, 0.0]])
        2.0
    """

    # Whether rows may be left out, as ``row_mask`` says.
    masks = False

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        owner = type(self).__name__
        if not is_one_of(reduction, REDUCTIONS):
            raise ValueError(
                f"{owner}: Invalid value for argument `reduction`. Expected one of "
                f"{', '.join(map(str, REDUCTIONS))}, got {shown(reduction)}"
            )
        if not is_one_of(dtype, (None, "float32")):
            raise ValueError(f"{owner}: dtype must be None or 'float32', got {shown(dtype)}")
        self.name = name if name is not None else auto_name(owner)
        self.reduction = reduction if reduction is not None else "none"

    @property
    def dtype(self) -> str:
        """'float32'."""
        return "float32"

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the reduced loss, or the loss of each row where ``reduction`` is 'none'.

        Args:
            y_true: targets.
            y_pred: the network's output.
            sample_weight: one number for all, one a sample (N,), or one a row.
        """
        owner = type(self).__name__
        predicted = _targets.numeric(owner, "y_pred", y_pred).astype(np.float32, copy=False)
        labels = _targets.numeric(owner, "y_true", y_true).astype(np.float32, copy=False)
        values = np.asarray(self.call(*same_rank(labels, predicted)))
        return self._reduced(values, sample_weight, with_own_mask(owner, None, y_pred, values))

    def call(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> Any:
        """Return the loss of each row, such as the shape of ``y_pred`` without its last axis."""
        raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred)")

    # --- what the training loop asks ------------------------------------------------------------

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return ``y`` checked against the output's shape, in the form that ``rows`` takes.

        Raises:
            TypeError: ``y`` does not hold numbers.
            ValueError: its shape or a value of it is wrong.
        """
        targets = _targets.numeric(owner, "y", y)
        _targets.require_finite(owner, "y", targets)
        if targets.ndim == 1 and len(output_shape) == 2 and output_shape[-1] == 1:
            targets = targets[:, None]
        return targets

    def rows(self, y_true: NDArray[Any], y_pred: Array) -> Array:
        """Return the loss of each row, float32 of ``rows_shape``."""
        values = self.call(np.asarray(y_true, np.float32), y_pred)
        rows: Array = folded(type(self).__name__, values, y_pred.shape, self.reduction)
        return rows

    def rows_shape(self, output_shape: Shape) -> Any:
        """Return the shape of the losses of rows: the output's without its last axis."""
        return output_shape[:-1]

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, its gradient by ``y_pred`` times the row's ``row_scale``)."""
        labels = np.asarray(y_true, np.float32)
        gradient = differences(self, labels, y_pred, row_scale)
        return self.rows(y_true, y_pred), filled(out, y_pred.shape, gradient)

    def on_logits(self) -> "Loss | None":
        """Return the loss that takes logits where this one takes their softmax, if there is one."""
        return None

    def row_mask(self, y_true: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which rows count, for a loss that ``masks``."""
        raise NotImplementedError

    def take_masks(self, masks: list[Any]) -> None:
        """Take the masks of several outputs, for a loss of them."""
        raise NotImplementedError

    def row_scale(
        self,
        shape: tuple[int, ...],
        weight: Array | None,
        mask: NDArray[np.bool_] | None = None,
    ) -> Array:
        """Return the factor, float32 of ``shape``, of each row's loss in the reduced loss."""
        scale = np.ones(shape, np.float32)
        if weight is not None:
            scale *= weight
        if mask is not None:
            scale *= mask
        if self.reduction in ("sum_over_batch_size", "mean"):
            scale /= max(scale.size if mask is None else int(np.count_nonzero(mask)), 1)
        elif self.reduction == "mean_with_sample_weight" and shape:  # one loss is no mean
            counted = scale if weight is None or mask is not None else weight  # as given
            total = float(counted.sum(dtype=np.float64))
            scale *= 1.0 / total if total else 0.0
        return scale

    def _reduced(
        self, rows: NDArray[Any], sample_weight: Any, mask: NDArray[np.bool_] | None
    ) -> Any:
        if sample_weight is not None:
            sample_weight = _targets.numeric(type(self).__name__, "sample_weight", sample_weight)
        if rows.ndim == 0 and np.shape(sample_weight) == (1,):
            sample_weight = np.reshape(sample_weight, ())
        given = np.ndim(sample_weight) if sample_weight is not None else 0
        if rows.ndim == 0 and given and mask is None:  # one loss, as many times as weights
            rows = np.broadcast_to(rows, np.shape(sample_weight))
        scale = self._scale_of(rows.shape, sample_weight, mask)
        weighted = np.multiply(rows, scale, dtype=np.float64)
        if self.reduction == "none":
            found = weighted.astype(np.float32)
            return found[:, None] if rows.ndim == 1 and given == 2 else found
        return Number(weighted.sum())

    def _scale_of(
        self, shape: tuple[int, ...], sample_weight: Any, mask: NDArray[np.bool_] | None
    ) -> Array:
        """Return the factor of each row's loss in the reduced loss, of weights as users give."""
        weight: Array | None = None
        if sample_weight is not None:
            owner = type(self).__name__
            given = _targets.numeric(owner, "sample_weight", sample_weight)
            lone = given.ndim == 0
            given = np.broadcast_to(given, shape) if lone else given
            weight = _targets.sample_weights(owner, given, shape)
            weight = weight[(slice(1),) * len(shape)] if lone else weight
        return self.row_scale(shape, weight, mask)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Loss":
        """Make a loss from what ``get_config`` gave."""
        return cls(**config)


class RowLoss(Loss):
    """A loss of the library: of each row, with targets that are checked, and an exact gradient."""

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """See ``Loss.__call__``; an output of one axis is one row."""
        rows, mask = self._direct(y_true, y_pred)
        mask = with_own_mask(type(self).__name__, mask, y_pred, rows)
        return self._reduced(rows, sample_weight, mask)

    def unreduced(self, y_true: Any, y_pred: Any) -> Array:
        """Return the loss of each row."""
        return self._direct(y_true, y_pred)[0]

    def _direct(self, y_true: Any, y_pred: Any) -> tuple[Array, NDArray[np.bool_] | None]:
        owner = type(self).__name__
        predicted = _targets.numeric(owner, "y_pred", y_pred).astype(np.float32, copy=False)
        labels = _targets.numeric(owner, "y", y_true)
        if predicted.ndim == 0:
            raise ValueError(f"{owner}: y_pred must have shape (N, ..., C), got ()")
        lone = predicted.ndim == 1 and not (labels.ndim == 2 and labels.shape[-1] == 1)
        if lone:
            predicted, labels = predicted[None], labels[None]
        elif predicted.ndim == 1:
            predicted = predicted[:, None]
        checked = self.check_targets(labels, predicted.shape, owner)
        rows = self.call(checked, predicted)
        mask = self.row_mask(checked) if self.masks else None
        if mask is not None:
            rows = np.where(mask, rows, np.float32(0))
        if lone:
            return rows[0], None if mask is None else mask[0]
        return rows, mask

    def rows(self, y_true: NDArray[Any], y_pred: Array) -> Array:
        """Return the loss of each row."""
        result: Array = self.call(y_true, y_pred)
        return result

    def check_targets(self, y: Any, output_shape: Shape, owner: str) -> NDArray[Any]:
        """Return ``y`` checked to be of the output's shape."""
        return _targets.values(owner, y, output_shape)

    def call(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> Array:
        """Return the loss of each row: the shape of ``y_pred`` without its last axis."""
        ones = np.ones(self.rows_shape(y_pred.shape), np.float32)
        return self.call_with_gradient(y_true, y_pred, ones)[0]

    def call_with_gradient(
        self, y_true: NDArray[Any], y_pred: Array, row_scale: Array, out: Array | None = None
    ) -> tuple[Array, Array]:
        """Return (loss of each row, scaled gradient)."""
        raise NotImplementedError


def with_own_mask(owner: str, mask: Any, y_pred: Any, rows: NDArray[Any]) -> Any:
    """Return which rows count, by ``mask`` and by the mask that outputs of Keras's layers carry."""
    own = getattr(y_pred, "_keras_mask", None)
    if own is None:
        return mask
    if np.ndim(own) == rows.ndim + 1 and np.shape(own)[-1] == 1:
        own = np.asarray(own)[..., 0]
    found = fitted(owner, own, rows.shape)
    return found if mask is None else found & mask


def fitted(owner: str, mask: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the mask of an output as that of its rows, of this shape.

    Raises:
        ValueError: it does not fit.
    """
    found = np.asarray(mask) > 0.5
    if found.shape != shape[: found.ndim]:
        raise ValueError(
            f"{owner}: the output has a mask {found.shape} of a Masking, which does not fit losses "
            f"of shape {shape}; end the mask by a layer such as Flatten or Reshape"
        )
    wide = found.reshape(found.shape + (1,) * (len(shape) - found.ndim))
    return np.broadcast_to(wide, shape)


def filled(out: Array | None, shape: tuple[int, ...], values: Any) -> Array:
    """Return ``values`` as float32, in ``out`` or else in a new array of that shape."""
    array = np.empty(shape, np.float32) if out is None else out
    array[...] = values
    return array


def same_rank(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return two arrays with as many axes, where one has a last axis of 1 more, as Keras does."""
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, b[:, None]) if b.ndim == 1 else (a[..., 0], b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return (a[:, None], b) if a.ndim == 1 else (a, b[..., 0])
    return a, b


def prediction(owner: str, y_pred: Any) -> Array:
    """Return ``y_pred`` as float32 (N, ..., C); (N,) is taken for (N, 1)."""
    array = _targets.numeric(owner, "y_pred", y_pred).astype(np.float32, copy=False)
    if array.ndim == 0:
        raise ValueError(f"{owner}: y_pred must have shape (N, ..., C), got ()")
    return array[:, None] if array.ndim == 1 else array
