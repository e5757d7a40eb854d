"""Batches: from arrays, row by row into buffers that are used again, or from an iterable."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyconv import _random, _targets, backend
from pyconv._convert import float32_array, is_native
from pyconv._spans import span
from pyconv._types import Array
from pyconv.layers._augmentation import Augmentation, augmented
from pyconv.layers._memory import Buffers

_END = object()


class Batch(NamedTuple):
    """Inputs (n, ...), targets and weights; the next batch may overwrite the arrays.

    The inputs are where the model takes them, the others are numpy's. ``augmented`` is the number
    of the model's layers that the inputs went through; ``in_buffers`` says whether the next batch
    of the same shape is in the same arrays.
    """

    x: Array
    y: NDArray[Any] | None
    sample_weight: Array | None
    augmented: int = 0
    in_buffers: bool = False


class Rows:
    """The rows of an array, taken by number into a buffer: float32, or int64 for class numbers.

    Images go through the ``layers`` on the way, on the host.
    """

    def __init__(
        self,
        array: NDArray[Any],
        name: str,
        on_host: bool,
        layers: Sequence[Augmentation] = (),
    ) -> None:
        self._array = array
        self._layers = layers
        self._on_host = on_host
        self._buffers = Buffers("fit", self._on_host)
        self._name = name
        self._native = is_native(array)
        numbers = array.dtype == np.int64 and name == "y"
        self._dtype = np.int64 if numbers else np.float32
        self._native_labels = numbers and array.flags.c_contiguous and array.flags.aligned

    @property
    def are_native(self) -> bool:
        """Whether operations alone take rows, and change images."""
        return self._native or self._native_labels

    def slice(self, first: int, count: int) -> NDArray[Any]:
        """Return rows in their order, not to be written to: a view where that is possible."""
        here = (self._on_host or backend.active is backend.cpu) and not self._layers
        if here and self._native and self._array.dtype == self._dtype:
            view = self._array[first : first + count]
            view.flags.writeable = False  # a layer of the user's own must not change the data set
            return view
        return self.take(np.arange(first, first + count))

    def take(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return these rows, in a buffer."""
        if self._layers:
            if self._native:
                return augmented(self._layers, self._array, rows, self._buffers)
            images = float32_array("fit", self._name, self._array[rows])
            return augmented(self._layers, images, None, self._buffers)
        out = self._buffers.get(self._name, (len(rows), *self._array.shape[1:]), self._dtype)
        if self._native:
            native = backend.cpu if self._on_host else backend.active
            native.gather_rows(self._array, rows, out)
        elif self._native_labels:
            backend.cpu.gather_labels(self._array, rows, out)
        else:
            with np.errstate(over="ignore"):
                np.copyto(out, self._array[rows], casting="unsafe")
        return out  # type: ignore[no-any-return]


class ArrayBatches:
    """Batches of arrays, which were checked before.

    Args:
        arrays: (n, ...) inputs, targets and weights; the last two may be None.
        batch_size: rows of a batch; the last batch of a pass has those that are left.
        shuffle: True for a new order at each pass, 'batch' for one within each batch, or False.
        steps: batches of an epoch; None for one pass.
        continues: whether an epoch goes on where the last one stopped, into a new pass when the
            rows are used up; otherwise each epoch is the first ``steps`` batches of a pass.
        on_host: whether the inputs are wanted on the host, wherever operations run.
        layers: a model's first layers, which the inputs go through on their way.
        ends_with_pass: whether an epoch that goes on ends where the pass does, with fewer steps.
        in_buffers: whether rows in the order of the arrays are copied, too, rather than viewed.
    """

    def __init__(
        self,
        arrays: tuple[NDArray[Any], NDArray[Any] | None, NDArray[Any] | None],
        batch_size: int,
        shuffle: bool | str = False,
        steps: int | None = None,
        continues: bool = False,
        on_host: bool = False,
        layers: Sequence[Augmentation] = (),
        ends_with_pass: bool = False,
        in_buffers: bool = False,
    ) -> None:
        self.samples = len(arrays[0])
        self.ends_with_pass = ends_with_pass
        # Of no samples there is one batch, an empty one.
        self._batch_size = max(min(batch_size, self.samples), 1)
        one_pass = max(-(-self.samples // self._batch_size), 1)
        self.steps = one_pass if steps is None else steps if continues else min(steps, one_pass)
        self._continues = continues
        self._shuffle = shuffle
        self._columns = [
            None
            if array is None
            else Rows(array, name, on_host or name != "x", layers if name == "x" else ())
            for name, array in zip(("x", "y", "sample_weight"), arrays, strict=True)
        ]
        self._augmented = len(layers)
        # Whether operations alone make all of a batch, in buffers.
        self._in_buffers = bool(shuffle) or in_buffers
        native = all(column is None or column.are_native for column in self._columns)
        self.are_native = self._in_buffers and native
        self._order: NDArray[np.int64] | None = None  # of this pass; None for that of the arrays
        self._at = self.samples

    def __iter__(self) -> Iterator[Batch]:
        if not self._continues:
            self._at = self.samples
        for step in range(self.steps):
            with span("batch"):
                if self._at >= self.samples:
                    if step and self.ends_with_pass:
                        return
                    self._order, self._at = self._new_order(), 0
                count = min(self._batch_size, self.samples - self._at)
                x, y, weight = (
                    None if column is None else self._rows(column, count)
                    for column in self._columns
                )
                batch = Batch(x, y, weight, self._augmented, self._in_buffers)  # type: ignore
                self._at += count
            yield batch

    def _rows(self, column: Rows, count: int) -> NDArray[Any]:
        if self._order is None:
            return column.slice(self._at, count)
        return column.take(self._order[self._at : self._at + count])

    def _new_order(self) -> NDArray[np.int64] | None:
        if self._shuffle is True:
            return _random.generator().permutation(self.samples)
        if self._shuffle != "batch" and not self._in_buffers:
            return None
        order = np.arange(self.samples)
        if self._shuffle != "batch":
            return order
        for at in range(0, self.samples, self._batch_size):
            _random.generator().shuffle(order[at : at + self._batch_size])
        return order


class StreamBatches:
    """Batches that the user's iterable makes.

    Args:
        source: an iterable of batches, or an object such as Keras's ``PyDataset``, which has
            ``__getitem__`` and ``__len__`` or ``num_batches`` (None: without an end). Its
            ``on_epoch_begin`` and ``on_epoch_end`` are called.
        prepare: makes a ``Batch`` of what ``source`` gives.
        steps: batches of an epoch; None for all that there are.
        continues: whether an epoch goes on where the last one stopped, and begins anew when the
            source is used up. An iterator always goes on, and cannot begin anew.
        shuffle: whether batches that have numbers are taken in a new order at each pass.
        ends_with_pass: whether an epoch that goes on ends where the source is used up, with fewer
            steps; not where it counts its epochs itself.
    """

    def __init__(
        self,
        source: Any,
        prepare: Callable[[Any], Batch],
        steps: int | None = None,
        continues: bool = False,
        shuffle: bool = False,
        ends_with_pass: bool = False,
    ) -> None:
        self._source = source
        self.ends_with_pass = (
            ends_with_pass
            and continues
            and not hasattr(source, "on_epoch_end")
            and not hasattr(source, "__next__")
        )
        self._prepare = prepare
        self._continues = continues
        self._shuffle = shuffle
        self._size = _number_of_batches(source)
        self.steps = self._size if steps is None else steps
        self._limit = steps
        self._iterator: Iterator[Any] | None = None
        self._was_just_opened = False

    def __iter__(self) -> Iterator[Batch]:
        _tell(self._source, "on_epoch_begin")
        iterator = self._iterator if self._continues else None
        if iterator is None:
            iterator = self._iterator = self._opened()
        taken = 0
        while self._limit is None or taken < self._limit:
            with span("batch"):
                item = next(iterator, _END)
                if item is _END and taken and self.ends_with_pass:
                    self._iterator = None
                elif item is _END and self._continues and not self._was_just_opened:
                    iterator = self._iterator = self._opened()
                    item = next(iterator, _END)
                if item is _END:
                    break
                self._was_just_opened = False
                taken += 1
                batch = self._prepare(item)
            yield batch
        _tell(self._source, "on_epoch_end")

    @property
    def are_native(self) -> bool:
        """Whether operations alone make all of a batch, in buffers."""
        return bool(getattr(self._source, "are_native", False))

    def _opened(self) -> Iterator[Any]:
        self._was_just_opened = True
        if hasattr(self._source, "__iter__") and not hasattr(self._source, "on_epoch_end"):
            return iter(self._source)
        numbers: Iterable[Any] = itertools.count() if self._size is None else range(self._size)
        if self._shuffle and self._size is not None:
            numbers = _random.generator().permutation(self._size).tolist()
        return (self._source[i] for i in numbers)


def is_stream(x: Any, y: Any) -> bool:
    """Whether ``x`` gives batches, rather than being the inputs themselves."""
    if isinstance(x, (list, tuple)):
        return y is None and len(x) > 0 and isinstance(x[0], tuple)
    if hasattr(x, "__array__") or isinstance(x, (str, bytes, dict)):
        return False
    return hasattr(x, "__iter__") or (
        hasattr(x, "__getitem__") and (hasattr(x, "__len__") or hasattr(x, "num_batches"))
    )


def _number_of_batches(source: Any) -> int | None:
    if hasattr(source, "num_batches"):
        return None if source.num_batches is None else int(source.num_batches)
    try:
        return len(source)
    except TypeError:  # a generator, or a loader that does not know
        return None


def _tell(source: Any, event: str) -> None:
    method = getattr(source, event, None)
    if callable(method):
        method()


def inputs(owner: str, x: Any, rank: int | None = None) -> NDArray[Any]:
    """Return the inputs as an array of numbers with a first axis of samples."""
    array = _targets.numeric(owner, "x", x)
    if array.ndim < 2 and array.ndim != rank:
        raise ValueError(
            f"{owner}: x must have shape (N, ...), a first axis of samples, got {array.shape}"
        )
    return array


def split(
    owner: str, arrays: tuple[Any, Any, Any], fraction: float
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """Return (first samples, the last ``fraction`` of the samples) of each array."""
    samples = len(arrays[0])
    at = int(np.floor(samples * (1 - fraction)))
    if at in (0, samples):
        raise ValueError(
            f"{owner}: validation_split={fraction} of {samples} samples leaves "
            f"{'training' if at == 0 else 'validation'} without any"
        )
    first = tuple(None if array is None else array[:at] for array in arrays)
    last = tuple(None if array is None else array[at:] for array in arrays)
    return first, last  # type: ignore[return-value]


def class_weights(owner: str, weights: Any, y: NDArray[Any], classes: int | None) -> Array:
    """Return the weight of each sample's class; a class that is not named has weight 1.

    ``y`` holds class numbers (N,), or one-hot rows or 0 and 1 (N, C).
    """
    if not isinstance(weights, dict):
        raise TypeError(f"{owner}: class_weight must be a dict of class: weight, got {weights!r}")
    if y.ndim == 2:
        y = y.argmax(axis=1) if y.shape[1] > 1 else _targets.class_numbers(owner, y, (None, 2))
        classes = 2 if classes == 1 else classes
    if y.ndim != 1:
        raise ValueError(f"{owner}: class_weight needs one label a sample, got y {y.shape}")
    count = max(int(y.max()), 0) + 1 if classes is None else classes
    table = np.ones(count, np.float32)
    for number, weight in weights.items():
        if not isinstance(number, (int, np.integer)) or not 0 <= number < count:
            raise ValueError(
                f"{owner}: class_weight's keys must be class numbers from 0 to {count - 1}, got "
                f"{number!r}"
            )
        value = _targets.numeric(owner, f"class_weight[{number}]", weight)
        _targets.require_finite(owner, f"class_weight[{number}]", value.reshape(-1))
        if value.size != 1:
            raise ValueError(f"{owner}: class_weight[{number}] must be a number, got {weight!r}")
        table[number] = value.reshape(())[()]
    known = (y >= 0) & (y < count)  # a class that the loss ignores need not be
    return np.asarray(np.where(known, table[np.where(known, y, 0)], 1), np.float32)
