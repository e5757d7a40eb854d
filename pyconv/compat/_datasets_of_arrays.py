"""Keras's utilities that split data sets and pad sequences."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from pyconv import _random
from pyconv._args import is_one_of
from pyconv.compat._dataset import Dataset


def split_dataset(
    dataset: Any,
    left_size: float | int | None = None,
    right_size: float | int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Return the first and the last elements of a data set, as two ``tf.data.Dataset``.

    Args:
        dataset: a ``tf.data.Dataset``, another iterable or a sequence of elements, such as
            PyTorch's data sets, an array, or a list or tuple of arrays, whose rows are the
            elements.
        left_size: number of the first elements, or their share, 0 to 1; None for all others.
        right_size: the same of the last ones. Of the two at least one must be given.
        shuffle: whether the elements are put in another order before.
        seed: an integer for the same order in each run.
        preferred_backend: has no effect.

    Raises:
        TypeError: ``dataset`` is none of these, or a size is no number.
        ValueError: a size is out of range, none is given, or they are too large together.

    Example:
        >>> import numpy as np, pyconv.compat.keras as keras
        >>> left, right = keras.utils.split_dataset(np.arange(10), left_size=0.8)
        >>> len(left), [int(x) for x in right]
        (8, [8, 9])
    """
    elements = _elements(dataset)
    first, last = _sizes(left_size, right_size, len(elements))
    if shuffle:
        random = _random.generator() if seed is None else np.random.default_rng(seed)
        elements = [elements[i] for i in random.permutation(len(elements))]
    return _of(elements[:first]), _of(elements[len(elements) - last :])


def _of(elements: list[Any]) -> Dataset:
    return Dataset(lambda: iter(elements), len(elements))


def _elements(dataset: Any) -> list[Any]:
    """Return the elements of a data set, in a list."""
    if isinstance(dataset, np.ndarray):
        return list(Dataset.from_tensor_slices(dataset))
    if isinstance(dataset, (list, tuple)) and all(hasattr(part, "__array__") for part in dataset):
        return list(Dataset.from_tensor_slices(tuple(dataset)))
    by_number = hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")
    if by_number and not isinstance(dataset, (str, bytes, dict, list, tuple)):
        return [dataset[i] for i in range(len(dataset))]
    if not isinstance(dataset, Iterable) or isinstance(dataset, (str, bytes, dict)):
        raise TypeError(
            "split_dataset: The `dataset` argument must be either a `tf.data.Dataset`, another "
            f"iterable or a list/tuple of arrays. Received: dataset={dataset!r:.60} of type "
            f"{type(dataset)}"
        )
    return list(dataset)


def _sizes(left: Any, right: Any, count: int) -> tuple[int, int]:
    """Return how many elements there are in the two parts."""
    owner = "split_dataset"
    if left is None and right is None:
        raise ValueError(
            f"{owner}: At least one of the `left_size` or `right_size` must be specified. "
            "Received: left_size=None and right_size=None"
        )
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            continue
        if isinstance(size, bool) or not isinstance(size, (int, float, np.integer, np.floating)):
            raise TypeError(
                f"{owner}: Invalid `left_size` and `right_size` Types. Expected: integer or float "
                f"or None. Received: {name}={size!r}"
            )
        whole = isinstance(size, (int, np.integer))
        if size <= 0 or (size >= count if whole else size >= 1):
            limit = "1 to the number of samples less 1" if whole else "0 to 1"
            raise ValueError(
                f"{owner}: `{name}` should be {'an integer' if whole else 'a float'} of {limit}, "
                f"of {count} samples. Received: {name}={size}"
            )
    numbers = [
        None if s is None else round(s * count) if isinstance(s, (float, np.floating)) else int(s)
        for s in (left, right)
    ]
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ValueError(
            f"{owner}: The sum of `left_size` and `right_size` is greater than 1. It must be less "
            f"than or equal to 1. Received: {left} and {right}"
        )
    first = count - (numbers[1] or 0) if numbers[0] is None else numbers[0]
    last = count - first if numbers[1] is None else numbers[1]
    if first + last > count:
        raise ValueError(
            f"{owner}: The sum of `left_size` and `right_size` should be smaller than the "
            f"{count} samples, got {first} and {last}"
        )
    if 0 in (first, last):
        raise ValueError(
            f"{owner}: with the given sizes, of {count} samples, one of the two parts is empty"
        )
    return first, last


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Any:
    """Return sequences of different lengths as the rows of one array.

    Args:
        sequences: a list of sequences, of numbers or of equal arrays.
        maxlen: length of the rows; None for that of the longest.
        dtype: type of the array.
        padding: 'pre' or 'post': where ``value`` is put.
        truncating: 'pre' or 'post': where longer sequences are cut.
        value: what short ones are filled with.

    Raises:
        ValueError: an argument is wrong, or the sequences' elements have different shapes.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.utils.pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2).tolist()
        [[0, 1], [2, 3], [5, 6]]
    """
    owner = "pad_sequences"
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"{owner}: `sequences` must be iterable, got {sequences!r:.60}")
    for argument, given in (("padding", padding), ("truncating", truncating)):
        if not is_one_of(given, ("pre", "post")):
            raise ValueError(f"{owner}: {argument} must be 'pre' or 'post', got {given!r:.60}")
    for sequence in sequences:
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"{owner}: `sequences` must be a list of iterables. Found non-iterable: "
                f"{sequence!r:.60}"
            )
    shapes = {np.shape(sequence)[1:] for sequence in sequences if len(sequence)}
    if len(shapes) > 1:
        raise ValueError(f"{owner}: the elements must have one shape, got {sorted(shapes)}")
    length = max(map(len, sequences), default=0) if maxlen is None else maxlen
    kind = np.dtype(dtype) if dtype is not object else np.dtype(object)
    if isinstance(value, str) and kind.kind not in "USO":
        raise ValueError(
            f"{owner}: `dtype` {dtype} is not compatible with `value`'s type: {type(value)}; give "
            "dtype=object"
        )
    rows = np.full((len(sequences), length, *(shapes.pop() if shapes else ())), value, kind)
    for row, sequence in zip(rows, sequences, strict=True):
        kept = sequence[-length:] if truncating == "pre" else sequence[:length]
        if not len(kept) or not length:
            continue
        part = slice(None, len(kept)) if padding == "post" else slice(-len(kept), None)
        row[part] = np.asarray(kept, kind)
    return rows
