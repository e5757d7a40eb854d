"""Models of one's own whose ``call`` is run as it stands, on arrays: no layer can stand for it."""

import inspect
import operator
from contextlib import nullcontext
from typing import Any

import numpy as np

from pyconv.compat import _call_context, _recording
from pyconv.compat._autodiff import Taped, unwrapped
from pyconv.compat._eager import eager
from pyconv.compat._followed import is_shape
from pyconv.compat._trees import leaves, mapped
from pyconv.compat._whole_call import whole_call

_ROWS = 2  # of the zeros that the weights are made for


class FreeCall:
    """What such a model has, say one that draws random numbers and gives several results.

    Steps and tapes of the user's own train it; ``fit`` with a loss for its results cannot.
    """

    _is_free = False

    def _run_freely(self: Any, shapes: Any, reason: Exception) -> None:
        """Make the weights by a call on zeros, and run the call from now on."""
        zeros = mapped(lambda s: np.zeros([n or _ROWS for n in s], np.float32), shapes, is_shape)
        found = leaves(self._called_freely(zeros, False))
        strange = [part for part in found if not hasattr(part, "__array__")]
        if strange or not found:
            kind = type(strange[0] if strange else None).__name__
            raise NotImplementedError(
                f"{self.label}: its call is not made of layers alone ({reason}), and must then "
                f"give arrays, got a {kind}"
            ) from reason
        whole = whole_call(self)
        whole._is_built = True
        if isinstance(shapes, tuple) and all(n is None or isinstance(n, int) for n in shapes):
            whole._input_shape = shapes
        layers: Any = [whole]
        self._layers, self._is_free, self._reason = layers, True, str(reason)
        self._input_shapes_of_call = shapes
        self._sizes_of_first = np.shape(found[0])[1:]

    def _called_freely(self: Any, x: Any, training: Any) -> Any:
        """Return what the call gives; under a tape with its history."""
        takes = "training" in inspect.signature(self.call).parameters
        options = {"training": training} if takes else {}
        given = mapped(lambda part: part if isinstance(part, Taped) else eager(part), x)
        recorded = _recording._open[-1:]
        watching = whole_call(self)._watching(recorded[0]) if recorded else nullcontext()
        with watching, _call_context.within(self.name, {"training": training}):
            y = self.call(given, **options)
        if _recording.is_open():
            return y
        keep = any(isinstance(part, Taped) and part.node is not None for part in leaves(x))
        return y if keep else mapped(_plain, y)

    def _without_steps(self: Any, name: str, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Do what ``predict`` does; refuse to train by a loss."""
        if not name.startswith("predict"):
            raise NotImplementedError(
                f"{self.label}: its call is not made of layers alone ({self._reason}), and must "
                f"then give one array for {name}; or give the model a train_step and a test_step"
            )
        size = kwargs.get("batch_size", args[0] if args else None)
        return self._predicted_freely(x, len(leaves(x)[0]) if "batch" in name else size)

    def _predicted_freely(self: Any, x: Any, batch_size: int | None) -> Any:
        """Return the results for arrays, a batch at a time."""
        size = 32 if batch_size is None else batch_size
        arrays = mapped(np.asarray, x)
        count = len(leaves(arrays)[0])
        parts = []
        for first in range(0, count, size):
            some = mapped(operator.itemgetter(slice(first, first + size)), arrays)
            parts.append(self(some, training=False))
        columns = [list(values) for values in zip(*map(leaves, parts), strict=True)]
        joined = iter([np.concatenate(column) for column in columns])
        return mapped(lambda _: next(joined), parts[0])


def _plain(part: Any) -> Any:
    return eager(unwrapped(part)) if hasattr(part, "__array__") else part
