"""Intersection over union: how well the regions of classes are found, for segmentation."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyconv import _targets
from pyconv._args import bool_arg, float_arg, int_arg, shown
from pyconv._scalars import Number
from pyconv.metrics.metric import Metric


class IoU(Metric):
    """The mean, over some classes, of ``hits / (hits + false positives + false negatives)``.

    Classes that are neither in the labels nor in the predictions are left out of the mean, and
    numbers outside of ``0 ... num_classes - 1`` are left out altogether.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes of the mean.
        name: see ``Metric``.
        dtype: type of the counts, None for 'int32': weights are whole numbers then; 'float32'
            takes others.
        ignore_class: a class whose labels are left out, such as 255 for "void", or None.
        sparse_y_true: whether labels are class numbers, and not one-hot.
        sparse_y_pred: whether predictions are class numbers, and not probabilities.
        axis: the axis of one-hot labels and of probabilities.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> f"{metric([0, 0, 1, 1], [0, 1, 0, 1]):.4f}"
        '0.3333'
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__("int32" if dtype is None else dtype, name)
        owner = type(self).__name__
        self.num_classes = int_arg(owner, "num_classes", num_classes)
        self.target_class_ids = _class_ids(owner, target_class_ids, self.num_classes)
        self.ignore_class = (
            None if ignore_class is None else int_arg(owner, "ignore_class", ignore_class, -(2**31))
        )
        self.sparse_y_true = bool_arg(owner, "sparse_y_true", sparse_y_true)
        self.sparse_y_pred = bool_arg(owner, "sparse_y_pred", sparse_y_pred)
        self.axis = int_arg(owner, "axis", axis, -32, 31)
        shape = (self.num_classes, self.num_classes)
        self.total_cm = self.add_variable(shape, "zeros", np.float64, "total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up a batch.

        Args:
            y_true: labels of any shape, or one-hot with one axis more.
            y_pred: predictions, as many.
            sample_weight: one number for all, or one for each label.

        Raises:
            TypeError: an array does not hold numbers.
            ValueError: there are not as many of each.
        """
        owner = type(self).__name__
        y = self._numbers(owner, "y_true", y_true, self.sparse_y_true)
        p = self._numbers(owner, "y_pred", y_pred, self.sparse_y_pred)
        if y.size != p.size:
            raise ValueError(
                f"{owner}: y_true and y_pred must hold as many classes, got shapes "
                f"{np.shape(y_true)} and {np.shape(y_pred)}"
            )
        weight = self._weights(owner, sample_weight, y.size)
        classes = self.num_classes
        kept = (y >= 0) & (y < classes) & (p >= 0) & (p < classes)
        if self.ignore_class is not None:
            kept &= y != self.ignore_class
        found = np.bincount(y[kept] * classes + p[kept], weight[kept], classes**2)
        self.total_cm.assign(np.asarray(self.total_cm) + found.reshape(classes, classes))

    def result(self) -> Any:
        """Return the mean; 0.0 where none of the classes was seen."""
        matrix = np.asarray(self.total_cm)
        hits = np.diagonal(matrix)
        union = (matrix.sum(axis=0) + matrix.sum(axis=1) - hits)[self.target_class_ids]
        seen = union > 1e-9
        if not seen.any():
            return Number(0.0)
        return Number((hits[self.target_class_ids][seen] / union[seen]).mean())

    def _numbers(self, owner: str, name: str, values: Any, sparse: bool) -> Any:
        """Return class numbers as int64, of one axis."""
        array = _targets.numeric(owner, name, values)
        if not sparse:
            if not -array.ndim <= self.axis < array.ndim:
                raise ValueError(
                    f"{owner}: {name} must have an axis {self.axis} of classes, got shape "
                    f"{array.shape}"
                )
            array = array.argmax(axis=self.axis)
        return array.reshape(-1).astype(np.int64)

    def _weights(self, owner: str, sample_weight: Any, count: int) -> Any:
        if sample_weight is None:
            return np.ones(count)
        given = _targets.numeric(owner, "sample_weight", sample_weight)
        if given.dtype.kind == "f" and "int" in self.dtype:
            warnings.warn(
                f"{owner}: You are passing weight as `float`, but dtype is `{self.dtype}`: type "
                "casting leaves whole numbers of them; give dtype='float32'",
                stacklevel=3,
            )
        weight = given.astype(self.dtype).astype(np.float64).reshape(-1)
        if weight.size not in (1, count):
            raise ValueError(
                f"{owner}: sample_weight must hold one number a label, {count} of them, got shape "
                f"{given.shape}"
            )
        return np.broadcast_to(weight, (count,))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }

    def _config_without(self, *names: str) -> dict[str, Any]:
        config = IoU.get_config(self)
        return {name: value for name, value in config.items() if name not in names}


class BinaryIoU(IoU):
    """``IoU`` of two classes, of which 1 is predicted from ``threshold`` on.

    Args:
        target_class_ids: the classes of the mean: [0], [1] or both.
        threshold: predictions that are not below it count as 1.
        name, dtype: see ``IoU``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.BinaryIoU(target_class_ids=[0, 1], threshold=0.3)
        >>> f"{metric([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]):.4f}"
        '0.3333'
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = float_arg(type(self).__name__, "threshold", threshold, -3.4e38)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take up a batch; see ``IoU.update_state``."""
        p = _targets.numeric(type(self).__name__, "y_pred", y_pred).astype(np.float32, copy=False)
        super().update_state(y_true, p >= self.threshold, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "target_class_ids": self.target_class_ids,
            "threshold": self.threshold,
            "name": self.name,
            "dtype": self.dtype,
        }


class MeanIoU(IoU):
    """``IoU`` of all classes.

    Args:
        num_classes: number of classes.
        name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis: see ``IoU``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.MeanIoU(num_classes=2)
        >>> f"{metric([0, 0, 1, 1], [0, 1, 0, 1]):.4f}"
        '0.3333'
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        every = range(int_arg(type(self).__name__, "num_classes", num_classes))
        super().__init__(
            num_classes, every, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return self._config_without("target_class_ids")


class OneHotIoU(IoU):
    """``IoU`` of one-hot labels and, unless ``sparse_y_pred``, of probabilities.

    Args:
        num_classes, target_class_ids: see ``IoU``.
        name, dtype, ignore_class, sparse_y_pred, axis: see ``IoU``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.OneHotIoU(num_classes=2, target_class_ids=[0])
        >>> metric([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]])
        1.0
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return self._config_without("sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """``OneHotIoU`` of all classes.

    Args:
        num_classes: number of classes.
        name, dtype, ignore_class, sparse_y_pred, axis: see ``IoU``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range.

    Example:
        >>> import pyconv
        >>> metric = pyconv.metrics.OneHotMeanIoU(num_classes=2)
        >>> metric([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]])
        1.0
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return self._config_without("target_class_ids", "sparse_y_true")


def _class_ids(owner: str, ids: Any, num_classes: int) -> list[int]:
    if isinstance(ids, (str, bytes)) or not hasattr(ids, "__iter__"):
        raise TypeError(f"{owner}: target_class_ids must be a list of classes, got {shown(ids)}")
    numbers = [int_arg(owner, f"target_class_ids[{i}]", one, 0) for i, one in enumerate(ids)]
    if not numbers:
        raise ValueError(f"{owner}: target_class_ids must hold a class, got none")
    if max(numbers) >= num_classes:
        raise ValueError(
            f"{owner}: Target class id {max(numbers)} is out of range, which is [0, {num_classes})"
        )
    return numbers
