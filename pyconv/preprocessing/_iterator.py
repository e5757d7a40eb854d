"""Batches of images that are changed as they are asked for."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _random
from pyconv._args import INT_MAX, bool_arg, int_arg
from pyconv._types import Array
from pyconv.preprocessing._saved import SaveTo
from pyconv.py_dataset import PyDataset

if TYPE_CHECKING:
    from pyconv.preprocessing._changes import Changes
    from pyconv.preprocessing._generator import ImageDataGenerator

# Changes are drawn for so many batches at once, of so many images together at most.
_BATCHES, _IMAGES = 16, 1024


class ImageIterator(PyDataset):
    """Batches by number, or one after the other without an end, as Keras 2's iterators are.

    Args:
        n: number of images.
        batch_size: images of a batch; the last one of a pass may be smaller.
        shuffle: whether each pass has a new order.
        seed: an integer for the same orders and changes in each run.

    Raises:
        TypeError, ValueError: an argument is wrong.

    Example:
        >>> from pyconv.preprocessing.image import ImageIterator
        >>> len(ImageIterator(100, 32))
        4
    """

    save_to: SaveTo | None = None

    def __init__(
        self, n: int, batch_size: int = 32, shuffle: bool = True, seed: int | None = None
    ) -> None:
        super().__init__()
        owner = type(self).__name__
        self.n = int_arg(owner, "the number of images", n, 0)
        self.batch_size = int_arg(owner, "batch_size", batch_size)
        self.shuffle = bool_arg(owner, "shuffle", shuffle)
        self.seed = None if seed is None else int_arg(owner, "seed", seed, 0, 2**63 - 1)
        self.total_batches_seen = 0
        self._passes = 0
        self.reset()

    def batch(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Any:
        """Return the batch of these images; what is random is drawn from ``rng``."""
        raise NotImplementedError

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        """Return a batch of the present pass.

        Raises:
            IndexError: there is no batch of this number.
        """
        rows = self._rows(index)
        return self.batch(rows, self._rng(self.total_batches_seen))

    def _rows(self, index: int) -> NDArray[np.int64]:
        count, index = len(self), int_arg(type(self).__name__, "index", index, -INT_MAX)
        if not -count <= index < count:
            raise IndexError(f"{type(self).__name__}: there are {count} batches, got {index}")
        at = index % count * self.batch_size
        self.total_batches_seen += 1
        return self._order[at : at + self.batch_size]

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        """Return the next batch; after the last of a pass, the first of a new one."""
        if len(self) == 0:
            raise StopIteration
        if self.batch_index >= len(self):
            self.on_epoch_end()
        self.batch_index += 1
        return self[self.batch_index - 1]

    next = __next__

    def reset(self) -> None:
        """Begin a pass."""
        self.batch_index = 0
        self._passes += 1
        rng = self._rng(-self._passes)
        self._order = rng.permutation(self.n) if self.shuffle else np.arange(self.n)

    def on_epoch_end(self) -> None:
        """Begin a pass, in a new order where it is to be shuffled."""
        self.reset()

    def _rng(self, what: int) -> np.random.Generator:
        if self.seed is None:
            return _random.generator()
        return np.random.default_rng([self.seed, what % 2**64])


class NumpyArrayIterator(ImageIterator):
    """Batches of arrays, changed by an ``ImageDataGenerator``: what its ``flow`` returns.

    Args:
        x: images (N, H, W, C).
        y: labels (N, ...), or None.
        generator: what changes the images.
        batch_size, shuffle, seed: see ``ImageIterator``.
        sample_weight: weights (N,), or None.

    Raises:
        TypeError, ValueError: an argument is wrong.

    Example:
        >>> import numpy as np
        >>> from pyconv.preprocessing.image import ImageDataGenerator
        >>> batches = ImageDataGenerator().flow(np.ones((5, 4, 4, 1)), np.arange(5), batch_size=2)
        >>> x, y = batches[0]
        >>> x.shape, y.shape
        ((2, 4, 4, 1), (2,))
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        generator: "ImageDataGenerator",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        sample_weight: Any = None,
    ) -> None:
        self.x = images_arg("flow", "x", x)
        self.y = None if y is None else np.asarray(y)
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)
        for name, array in (("y", self.y), ("sample_weight", self.sample_weight)):
            if array is not None and array.shape[:1] != self.x.shape[:1]:
                raise ValueError(
                    f"flow: x and {name} must have the same number of samples, got {len(self.x)} "
                    f"and {array.shape}"
                )
        if self.y is None and self.sample_weight is not None:
            raise ValueError("flow: sample_weight needs y")
        self.generator = generator
        self._ahead: Changes | None = None  # of the batches that `_ahead_for` tells
        self._ahead_for: Any = None
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def batch(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Any:
        """Return x (n, H, W, C), or (x, y), or (x, y, sample_weight), of these rows."""
        return self._with_targets(self.generator.changed(self.x, rng, rows), rows)

    def __getitem__(self, index: int) -> Any:
        """Return a batch of the present pass.

        Raises:
            IndexError: there is no batch of this number.
        """
        rows = self._rows(index)
        return self._with_targets(self.generator.changed(self.x, self._changes(rows), rows), rows)

    def _changes(self, rows: NDArray[np.int64]) -> "Changes":
        """Return the changes of the batch whose rows were taken last."""
        # Numbers of many small batches are drawn at once.
        batches = max(min(_BATCHES, _IMAGES // self.batch_size), 1)
        block, at = divmod(self.total_batches_seen - 1, batches)
        if self._ahead is None or self._ahead_for != (block, self.generator._times_set):
            n, (h, w) = batches * self.batch_size, self.x.shape[1:3]
            self._ahead = self.generator._drawn(self._rng(block), n, h, w)
            self._ahead_for = block, self.generator._times_set
        return self._ahead.part(at * self.batch_size, len(rows))

    def _with_targets(self, x: Array, rows: NDArray[np.int64]) -> Any:
        if self.save_to is not None:
            self.save_to.write(x, rows)
        if self.y is None:
            return x
        if self.sample_weight is None:
            return x, self.y[rows]
        return x, self.y[rows], self.sample_weight[rows]


def images_arg(owner: str, name: str, value: Any) -> NDArray[Any]:
    """Return ``value`` as an array (N, H, W, C) of numbers."""
    array: NDArray[Any] = np.asarray(value)
    if array.dtype.kind not in "buif":
        raise TypeError(f"{owner}: {name} must be an array of numbers, got {array.dtype}")
    if array.ndim != 4 or 0 in array.shape[1:]:
        hint = "; grey images get their channel axis with x[..., np.newaxis]"
        raise ValueError(
            f"{owner}: {name} must be (N, H, W, C), got {array.shape}"
            f"{hint if array.ndim == 3 else ''}"
        )
    return array


def batch_arg(owner: str, images: Any) -> Array:
    """Return images (N, H, W, C), or one image (H, W, C), as a float32 batch."""
    array = np.asarray(images)
    batch = array[np.newaxis] if array.ndim == 3 else array
    return np.asarray(images_arg(owner, "x", batch), np.float32)
