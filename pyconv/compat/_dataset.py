"""TensorFlow's ``tf.data.Dataset``, as far as arrays in memory need it, with numpy's arrays."""

import glob
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from pyconv import _random
from pyconv._args import int_arg
from pyconv.compat._eager import eager
from pyconv.compat._tensor_spec import conformed

AUTOTUNE = -1
Make = Callable[[], Iterator[Any]]


class Dataset:
    """Elements, one after the other: arrays, or tuples or dicts of them.

    Args:
        make: returns a new iterator over the elements.
        size: how many there are; None where nobody knows, or there is no end.

    Example:
        >>> import numpy as np
        >>> from pyconv.compat._dataset import Dataset
        >>> data = Dataset.from_tensor_slices((np.arange(6), np.arange(6) % 2))
        >>> [x.tolist() for x, y in data.map(lambda x, y: (2 * x, y)).batch(4)]
        [[0, 2, 4, 6], [8, 10]]
    """

    def __init__(self, make: Make, size: int | None) -> None:
        self._make = make
        self._size = size

    @staticmethod
    def from_tensor_slices(tensors: Any) -> "Dataset":
        """Return the elements along the first axis of arrays."""
        arrays = _each(np.asarray, tensors)
        sizes = {len(array) for array in _leaves(arrays)}
        if len(sizes) != 1:
            raise ValueError(
                f"from_tensor_slices: the arrays must be equally long, got {sorted(sizes)}"
            )
        size = sizes.pop()
        return Dataset(
            lambda: (_each(lambda a, i=i: eager(a[i]), arrays) for i in range(size)), size
        )

    @staticmethod
    def from_tensors(tensors: Any) -> "Dataset":
        """Return the one element that the arrays are."""
        return Dataset(lambda: iter([_each(eager, tensors)]), 1)

    @staticmethod
    def from_generator(
        generator: Callable[..., Iterable[Any]],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Any:
        """Return what each call of ``generator`` gives.

        Args:
            generator: a function that returns an iterable.
            output_types: the types of the arrays, in tuples and dicts as the generator gives them.
            output_shapes: has no effect.
            args: what the generator is called with.
            output_signature: a ``tf.TensorSpec`` for each array; goes before ``output_types``.
            name: has no effect.

        Raises:
            TypeError, ValueError: an element has another type, shape or form than its
                ``tf.TensorSpec`` says.
        """
        wanted = output_types if output_signature is None else output_signature

        def items() -> Iterator[Any]:
            for item in generator(*(args or ())):
                given = tuple(item) if isinstance(item, list) and _is_tuple(wanted) else item
                yield _each(eager, given) if wanted is None else conformed(given, wanted)

        return Dataset(items, None)

    @staticmethod
    def list_files(file_pattern: Any, shuffle: bool | None = None, seed: Any = None) -> "Dataset":
        """Return the names of the files that match a pattern, or several, as strings.

        Raises:
            ValueError: there are none.
        """
        patterns = [str(one) for one in np.ravel(np.asarray(file_pattern, np.str_))]
        names = sorted({name for pattern in patterns for name in glob.glob(pattern)})
        if not names:
            raise ValueError(f"list_files: no file matches {patterns}")
        found = Dataset.from_tensor_slices(np.array(names))
        return found.shuffle(len(names), seed) if shuffle or shuffle is None else found

    @staticmethod
    def range(*args: Any) -> "Dataset":
        """Return whole numbers, as Python's ``range``."""
        return Dataset.from_tensor_slices(np.arange(*args))

    @staticmethod
    def zip(*datasets: Any) -> "Dataset":
        """Return tuples of an element of each."""
        given = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], tuple) else datasets
        sizes = [data._size for data in given]
        size = None if None in sizes else min(sizes)
        return Dataset(lambda: zip(*given, strict=False), size)

    def __iter__(self) -> Iterator[Any]:
        return self._make()

    def __len__(self) -> int:
        if self._size is None:
            raise TypeError("the data set's length is not known")
        return self._size

    def cardinality(self) -> Any:
        """Return the number of elements, -2 where it is not known."""
        return eager(-2 if self._size is None else self._size)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Return the elements, as plain arrays."""
        return (_each(np.asarray, item) for item in self)

    def map(self, map_func: Callable[..., Any], *args: Any, **kwargs: Any) -> "Dataset":
        """Return what a function makes of each element; of tuples it is given the parts."""
        return Dataset(lambda: (_called(map_func, item) for item in self), self._size)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> "Dataset":
        """Return the elements for which a function is true."""
        return Dataset(lambda: (item for item in self if _called(predicate, item)), None)

    def batch(self, batch_size: int, drop_remainder: bool = False, **kwargs: Any) -> "Dataset":
        """Return elements put together, so many at a time."""
        count = int_arg("batch", "batch_size", batch_size)

        def batches() -> Iterator[Any]:
            items = iter(self)
            while part := list(itertools.islice(items, count)):
                if len(part) == count or not drop_remainder:
                    yield _stacked(part)

        size = self._size
        if size is not None:
            size = size // count if drop_remainder else -(-size // count)
        return Dataset(batches, size)

    def unbatch(self) -> "Dataset":
        """Return the elements of batches, one by one."""
        return Dataset(
            lambda: (part for item in self for part in Dataset.from_tensor_slices(item)), None
        )

    def shuffle(
        self,
        buffer_size: int,
        seed: Any = None,
        reshuffle_each_iteration: bool | None = None,
        name: str | None = None,
    ) -> "Dataset":
        """Return the elements in another order, drawn from so many at a time.

        Args:
            buffer_size: how many elements one is drawn from.
            seed: an integer for the same orders in each run.
            reshuffle_each_iteration: False for the same order at each pass.
            name: has no effect.
        """
        count = int_arg("shuffle", "buffer_size", buffer_size)
        fixed = reshuffle_each_iteration is not None and not reshuffle_each_iteration
        if fixed and seed is None:
            seed = int(_random.generator().integers(2**31))
        kept = None if seed is None else np.random.default_rng(seed)

        def shuffled() -> Iterator[Any]:
            random = np.random.default_rng(seed) if fixed else kept or _random.generator()
            items = iter(self)
            buffer = list(itertools.islice(items, count))
            for item in items:
                at = int(random.integers(len(buffer)))
                yield buffer[at]
                buffer[at] = item
            yield from (buffer[int(at)] for at in random.permutation(len(buffer)))

        return Dataset(shuffled, self._size)

    def repeat(self, count: int | None = None, name: str | None = None) -> "Dataset":
        """Return the elements so many times; without end for None and -1."""
        if count is None or count < 0:
            return Dataset(lambda: (item for _ in itertools.count() for item in self), None)
        return Dataset(
            lambda: (item for _ in range(count) for item in self),
            None if self._size is None else self._size * count,
        )

    def take(self, count: int, name: str | None = None) -> "Dataset":
        """Return the first elements; all of them for -1."""
        if count < 0:
            return self
        size = count if self._size is None else min(count, self._size)
        return Dataset(lambda: itertools.islice(iter(self), count), size)

    def skip(self, count: int, name: str | None = None) -> "Dataset":
        """Return what follows the first elements."""
        size = None if self._size is None else max(self._size - count, 0)
        return Dataset(lambda: itertools.islice(iter(self), count, None), size)

    def concatenate(self, dataset: "Dataset", name: str | None = None) -> "Dataset":
        """Return these elements and those of another one."""
        sizes = [self._size, dataset._size]
        size = None if None in sizes else sum(size or 0 for size in sizes)
        return Dataset(lambda: itertools.chain(self, dataset), size)

    def enumerate(self, start: int = 0, name: str | None = None) -> "Dataset":
        """Return pairs of a number and an element."""
        return Dataset(lambda: ((eager(i), x) for i, x in enumerate(self, start)), self._size)

    def _unchanged(self, *args: Any, **kwargs: Any) -> "Dataset":
        """Return the data set: what is in memory is there."""
        return self

    cache = prefetch = with_options = _unchanged

    def apply(self, transformation_func: Callable[["Dataset"], "Dataset"]) -> "Dataset":
        """Return what a function makes of the data set."""
        return transformation_func(self)

    def flat_map(self, map_func: Callable[..., Any], *args: Any, **kwargs: Any) -> "Dataset":
        """Return the elements of the data sets that a function makes of each element."""
        return Dataset(lambda: (part for item in self for part in _called(map_func, item)), None)

    interleave = flat_map

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any]) -> Any:
        """Return what a function makes of a state and each element, one after the other."""
        state = _each(eager, initial_state)
        for item in self:
            state = reduce_func(state, item)
        return state

    def shard(self, num_shards: int, index: int, name: str | None = None) -> "Dataset":
        """Return every ``num_shards``-th element from the one of number ``index`` on."""
        size = None if self._size is None else len(range(index, self._size, num_shards))
        return Dataset(lambda: itertools.islice(iter(self), index, None, num_shards), size)

    def make_one_shot_iterator(self) -> "OneShot":
        """Return the elements, each with ``get_next()``."""
        return OneShot(iter(self))


class OneShot:
    """The iterator of TensorFlow 1."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def get_next(self) -> Any:
        """Return the next element."""
        return next(self._items)

    def __iter__(self) -> Iterator[Any]:
        return self._items


def _is_tuple(form: Any) -> bool:
    return isinstance(form, tuple)


def _called(function: Callable[..., Any], item: Any) -> Any:
    result = function(*item) if isinstance(item, tuple) else function(item)
    return tuple(result) if isinstance(result, list) else result


def _each(function: Callable[..., Any], item: Any) -> Any:
    """Return an element with a function's result in place of each array."""
    if isinstance(item, tuple):
        return tuple(_each(function, part) for part in item)
    if isinstance(item, dict):
        return {name: _each(function, part) for name, part in item.items()}
    return function(item)


def _leaves(item: Any) -> list[Any]:
    if isinstance(item, (tuple, dict)):
        parts = item.values() if isinstance(item, dict) else item
        return [leaf for part in parts for leaf in _leaves(part)]
    return [item]


def _stacked(items: list[Any]) -> Any:
    first = items[0]
    if isinstance(first, tuple):
        return tuple(_stacked(list(parts)) for parts in zip(*items, strict=True))
    if isinstance(first, dict):
        return {name: _stacked([item[name] for item in items]) for name in first}
    return eager(np.stack([np.asarray(item) for item in items]))
