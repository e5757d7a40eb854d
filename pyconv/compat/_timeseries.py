"""Keras's data set of the windows of a series."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyconv import _random
from pyconv._args import bool_arg, int_arg
from pyconv.compat._dataset import Dataset
from pyconv.compat._eager import eager

_OWNER = "timeseries_dataset_from_array"


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """Return the windows of a series, with a target each, as a ``tf.data.Dataset``.

    Args:
        data: an array (steps, ...).
        targets: an array whose i-th row is the target of the window that begins at step i; None
            for windows alone.
        sequence_length: rows of a window.
        sequence_stride: steps between the beginnings of two windows.
        sampling_rate: steps between two rows of a window.
        batch_size: windows of a batch, the last may have fewer; None for windows one by one.
        shuffle: whether each pass has the windows in another order.
        seed: an integer for the same orders in each run.
        start_index: first step that is used; those before it are as if they were not there.
        end_index: the step behind the last one that is used.
        format: has no effect.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range.

    Example:
        >>> import numpy as np, pyconv.compat.keras as keras
        >>> series = np.arange(7)
        >>> windows = keras.utils.timeseries_dataset_from_array(
        ...     series[:-3], series[3:], sequence_length=3, batch_size=2
        ... )
        >>> [(x.tolist(), y.tolist()) for x, y in windows]
        [([[0, 1, 2], [1, 2, 3]], [3, 4])]
    """
    rows, wanted = np.asarray(data), None if targets is None else np.asarray(targets)
    steps = len(rows)
    length = int_arg(_OWNER, "sequence_length", sequence_length)
    stride = _below(steps, "sequence_stride", sequence_stride)
    rate = _below(steps, "sampling_rate", sampling_rate)
    size = None if batch_size is None else int_arg(_OWNER, "batch_size", batch_size)
    shuffled = bool_arg(_OWNER, "shuffle", shuffle)
    begin, end = _part(steps, start_index, end_index)
    if format not in ("tf", "grain"):
        raise ValueError(f'{_OWNER}: `format` should be either "tf" or "grain", got {format!r}')
    rows, wanted = rows[begin:end], None if wanted is None else wanted[begin:]
    count = len(rows) - (length - 1) * rate
    if wanted is not None:
        count = min(count, len(wanted))
    starts, window = np.arange(0, count, stride), rate * np.arange(length)
    random = None if seed is None else np.random.default_rng(seed)

    def passes() -> Iterator[Any]:
        order = (random or _random.generator()).permutation(starts) if shuffled else starts
        for at in range(0, len(order), size or 1):
            chosen: Any = order[at] if size is None else order[at : at + size, np.newaxis]
            x = eager(rows[chosen + window])
            yield x if wanted is None else (x, eager(wanted[order[at : at + (size or 1)]]))

    def singles() -> Iterator[Any]:
        for item in passes():
            yield item if wanted is None else (item[0], item[1][0])

    return Dataset(
        singles if size is None else passes,
        len(starts) if size is None else -(-len(starts) // size),
    )


def _below(steps: int, name: str, value: Any) -> int:
    number = int_arg(_OWNER, f"`{name}`", value, -(2**62))
    if not 0 < number < steps:
        raise ValueError(
            f"{_OWNER}: `{name}` must be higher than 0 and lower than the length of the data, "
            f"{steps}, got {number}"
        )
    return number


def _part(steps: int, start: Any, end: Any) -> tuple[int, int]:
    """Return the first step that is used, and the one behind the last."""
    first = 0 if start is None else int_arg(_OWNER, "`start_index`", start, -(2**62))
    if not 0 <= first < steps:
        raise ValueError(
            f"{_OWNER}: `start_index` must be 0 or higher and lower than the length of the data, "
            f"{steps}, got {first}"
        )
    last = steps if end is None else int_arg(_OWNER, "`end_index`", end, -(2**62))
    if not first < last <= steps:
        raise ValueError(
            f"{_OWNER}: `end_index` must be higher than `start_index`, {first}, and at most the "
            f"length of the data, {steps}, got {last}"
        )
    return first, last
