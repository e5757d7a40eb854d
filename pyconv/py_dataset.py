"""A data set that gives its batches by number."""

from collections.abc import Iterator
from typing import Any

__all__ = ["PyDataset", "Sequence"]


class PyDataset:
    """The base of data sets that make their batches as they are asked for.

    A subclass defines ``__getitem__(index)``, which returns ``(x, y)`` or ``(x, y,
    sample_weight)``, and ``__len__``, the number of batches. ``fit``, ``evaluate`` and ``predict``
    take it as ``x``. ``on_epoch_begin`` and ``on_epoch_end`` are called around each epoch.

    Args:
        workers: has no effect, as have the other two.
        use_multiprocessing: has no effect.
        max_queue_size: has no effect.

    Example:
        >>> import numpy as np, pyconv
        >>> class Squares(pyconv.utils.PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.full((4, 1), index, "float32")
        ...         return x, x**2
        >>> model = pyconv.Sequential([pyconv.Input((1,)), pyconv.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> len(model.fit(Squares(), epochs=2, verbose=0).epoch)
        2
    """

    # Also of subclasses that do not call super().__init__().
    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """Return a batch."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def __len__(self) -> int:
        """Return the number of batches."""
        raise NotImplementedError(f"{type(self).__name__} must define __len__")

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None, where a subclass says so, for no end."""
        return len(self)

    def __iter__(self) -> Iterator[Any]:
        """Return the batches of one pass, in order."""
        return (self[i] for i in range(len(self)))

    def on_epoch_begin(self) -> None:
        """Called before an epoch."""

    def on_epoch_end(self) -> None:
        """Called after an epoch."""


# Keras 2's name.
Sequence = PyDataset
