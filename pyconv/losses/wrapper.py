"""Losses that are functions of the user's own."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.losses.loss import Loss, same_rank


class LossFunctionWrapper(Loss):
    """A loss made of a function ``fn(y_true, y_pred, **kwargs)``; see ``Loss`` for its gradient.

    Args:
        fn: takes float32 (or, for gradients, float64) arrays, and returns the loss of each sample,
            of each element, or one number for the batch.
        reduction, name, dtype: see ``Loss``.
        **kwargs: passed on to ``fn``.

    Raises:
        TypeError: ``fn`` is not callable.
        ValueError: an argument is not supported.

    Example:
        >>> import numpy as np, pyconv
        >>> def worst(y_true, y_pred):
        ...     return np.abs(y_true - y_pred).max(axis=-1)
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2)])
        >>> model.compile("sgd", loss=worst)
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if not callable(fn):
            raise TypeError(f"{type(self).__name__}: fn must be callable, got {fn!r}")
        own_name = getattr(fn, "__name__", None)
        super().__init__(own_name if name is None else name, reduction, dtype)
        self.fn = fn
        self._kwargs = kwargs

    def call(self, y_true: NDArray[Any], y_pred: NDArray[Any]) -> Any:
        """Return what the function gives."""
        values = np.asanyarray(self.fn(*same_rank(y_true, y_pred), **self._kwargs))
        # A sum over the batch of outputs of one number: Keras averages over whatever it gets.
        return values.reshape(()) if values.shape == (1,) and len(y_pred) > 1 else values

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "fn": self.fn, **self._kwargs}
