"""``fit``, ``evaluate`` and ``predict`` with the arguments and progress lines of Keras 1 and 2."""

import math
from typing import Any

import numpy as np

from pyconv import loops
from pyconv._types import Array
from pyconv.batches import ArrayBatches
from pyconv.callbacks import CallbackList, History
from pyconv.compat import _era
from pyconv.compat import _limits as limits
from pyconv.compat._generators import QUEUE
from pyconv.compat._logs import Logs
from pyconv.compat._progress import OldProgress
from pyconv.formats import keras_arguments as _arguments
from pyconv.model import Sequential
from pyconv.progress import Progress


class OlderFit(Sequential):
    """A model that is trained as programs for Keras 1 and 2 do it."""

    _keras2 = False
    _fitting = False

    @property
    def ends_epoch_with_pass(self) -> bool:  # type: ignore[override]
        """Whether an epoch with ``steps_per_epoch`` ends where the arrays do, as in Keras 3."""
        return _era.is_keras3_by_choice()  # TensorFlow 2's own Keras goes on

    def fit(self, *args: Any, **kwargs: Any) -> History:
        """Train the model; see ``pyconv.Sequential.fit``. ``nb_epoch`` is ``epochs``."""
        _arguments.rename("fit", kwargs, "nb_epoch", "epochs")
        _arguments.drop(kwargs, "show_accuracy")  # Keras 0: metrics of compile have it
        limits.apply(kwargs, args)
        for name in ("batch_size", "epochs", "steps_per_epoch", "validation_steps"):
            if isinstance(kwargs.get(name), np.ndarray) and kwargs[name].ndim == 0:
                kwargs[name] = kwargs[name].item()  # a number of tf's functions
        for name in ("steps_per_epoch", "validation_steps"):
            if isinstance(kwargs.get(name), float):
                kwargs[name] = math.ceil(kwargs[name])  # as far as Keras 2 counts
        steps = kwargs.get("steps_per_epoch")
        if self.steps_per_execution > 1 and isinstance(steps, int) and self.ends_epoch_with_pass:
            kwargs["steps_per_epoch"] = steps + -steps % self.steps_per_execution
        _arguments.drop(kwargs, *QUEUE)
        kwargs["callbacks"] = _with_history(kwargs.get("callbacks"), args)
        if len(args) > 5:  # callbacks by place
            args = (*args[:5], kwargs.pop("callbacks"), *args[6:])
        self._fitting = True
        try:
            return super().fit(*args, **kwargs)
        finally:
            self._fitting = False

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Array:
        """Return the outputs; see ``pyconv.Sequential.predict``. Silent under Keras 2."""
        _arguments.drop(kwargs, *QUEUE)
        if self._keras2 and len(args) < 2:
            kwargs.setdefault("verbose", 0)
        return super().predict(x, *args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Return the loss and the metrics; see ``pyconv.Sequential.evaluate``."""
        _arguments.drop(kwargs, *QUEUE)
        return super().evaluate(*args, **kwargs)

    def _progress(
        self, level: int, data: loops.Batches, validation: loops.Batches | None = None
    ) -> Progress:
        if not self._keras2:
            return super()._progress(level, data, validation)
        return OldProgress(level, _samples(data), self._title(data, validation))

    def _title(self, data: loops.Batches, validation: loops.Batches | None) -> str | None:
        if not self._fitting:
            return None
        if not isinstance(data, ArrayBatches):
            return ""
        text = f"Train on {data.samples} samples"
        if isinstance(validation, ArrayBatches):
            text += f", validate on {validation.samples} samples"
        return text + "\n"

    def _logged(self, results: dict[str, float]) -> dict[str, float]:
        return Logs(results if self._keras2 else sorted(results.items()))


class _NamedHistory(History):
    """A history in which accuracy is found under both its names."""

    def __init__(self) -> None:
        super().__init__()
        self.history = Logs()


def _with_history(callbacks: Any, args: tuple[Any, ...]) -> list[Any]:
    given = CallbackList(args[5] if len(args) > 5 else callbacks).callbacks
    for callback in given:
        if isinstance(callback, History):
            callback.history = Logs(callback.history)
            return given
    return [*given, _NamedHistory()]


def _samples(data: loops.Batches) -> int | None:
    """Return the rows of an epoch, where it is one pass over arrays."""
    if not isinstance(data, ArrayBatches) or data._continues:
        return None
    return min(data.samples, data.steps * data._batch_size)
