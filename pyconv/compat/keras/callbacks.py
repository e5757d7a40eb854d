"""``keras.callbacks``: pyconv's, with the arguments and the texts of Keras 2."""

import math
import warnings
from typing import Any

from pyconv import callbacks
from pyconv.compat import _classes, _era, _unsupported
from pyconv.compat._logs import Logs
from pyconv.formats import keras_arguments as _arguments

# What Keras 2's TensorBoard took as well.
_OF_OLDER_BOARDS = (
    "batch_size",
    "write_grads",
    "embeddings_layer_names",
    "embeddings_data",
)


def _translate(
    cls: type, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _classes.Arguments:
    if name == "ReduceLROnPlateau":
        _arguments.rename(name, kwargs, "epsilon", "min_delta")
    if isinstance(kwargs.get("patience"), float) and math.isfinite(kwargs["patience"]):
        kwargs["patience"] = math.ceil(kwargs["patience"])  # counts of epochs are compared with it
    if name == "TensorBoard":
        _arguments.drop(kwargs, *_OF_OLDER_BOARDS)
    if name == "ModelCheckpoint":
        for flag in ("save_best_only", "save_weights_only"):
            if isinstance(kwargs.get(flag), str):  # any text is true, as Keras has it
                warnings.warn(f"{name}: {flag}={kwargs[flag]!r} is {bool(kwargs[flag])}",
                              stacklevel=4)  # fmt: skip
                kwargs[flag] = bool(kwargs[flag])
    return args, kwargs


def _say(callback: Any, text: str) -> None:
    """Print a line of a callback; below the bar, where there is one."""
    print(("\n" if callback.params.get("verbose") == 1 else "") + text, flush=True)


class _OlderModelCheckpoint:
    """Counts epochs from 0, in texts and names of files, as Keras 2.0 does; has ``period``."""

    def __init__(self, *args: Any, period: int = 1, **kwargs: Any) -> None:
        self._keras2 = _era.is_keras2()
        self.period = period
        super().__init__(*args, **kwargs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save, every ``period`` epochs."""
        if (epoch + 1) % self.period == 0:
            super().on_epoch_end(epoch, logs)  # type: ignore[misc]

    def _path(self, epoch: int, logs: Any, batch: int | None) -> str:
        names = Logs(logs).with_both_names()
        path: str = super()._path(epoch - self._keras2, names, batch)  # type: ignore[misc]
        return path

    def _save(self: Any, epoch: int, logs: Any, batch: int | None) -> None:
        if not self._keras2:
            super()._save(epoch, logs, batch)  # type: ignore[misc]
            return
        path = self._path(epoch, logs, batch)
        name, current = self.monitor, logs.get(self.monitor)
        text = f"saving model to {path}"
        if self.save_best_only:
            if current is None:
                warnings.warn(
                    f"Can save best model only with {name} available, skipping.", stacklevel=2
                )
                return
            if not self._is_improvement(current, self.best):
                if self.verbose:
                    _say(self, f"Epoch {epoch:05d}: {name} did not improve")
                return
            best = self.worst if self.best is None else self.best
            text = f"{name} improved from {best:.5f} to {current:.5f}, {text}"
            self.best = current
        if self.verbose:
            _say(self, f"Epoch {epoch:05d}: {text}")
        self._write(path)


class _OlderEarlyStopping:
    """Says ``Epoch 00005: early stopping``, epochs counted from 0."""

    def on_train_end(self: Any, logs: Any = None) -> None:
        """Say where training stopped; put the best weights back where asked to."""
        verbose = self.verbose
        if _era.is_keras2():
            self.verbose = 0
            if self.stopped_epoch > 0 and verbose:
                print(f"Epoch {self.stopped_epoch:05d}: early stopping", flush=True)
        try:
            super().on_train_end(logs)  # type: ignore[misc]
        finally:
            self.verbose = verbose


class _OlderReduceLROnPlateau:
    """Logs the rate as ``lr``; says ``Epoch 00005: reducing learning rate to ...``."""

    def on_epoch_end(self: Any, epoch: int, logs: Any = None) -> None:
        """Compare, and reduce the rate where it is time."""
        if not _era.is_keras2():
            super().on_epoch_end(epoch, logs)  # type: ignore[misc]
            return
        verbose, self.verbose = self.verbose, 0
        optimizer = self.model.optimizer
        before = optimizer.learning_rate
        try:
            super().on_epoch_end(epoch, logs)  # type: ignore[misc]
        finally:
            self.verbose = verbose
        if verbose and optimizer.learning_rate != before:
            _say(self, f"Epoch {epoch:05d}: reducing learning rate to {optimizer.learning_rate}.")
        if logs is not None and dict.__contains__(logs, "learning_rate"):
            logs["lr"] = logs.pop("learning_rate")


class BaseLogger(callbacks.Callback):
    """What callbacks that write down an epoch's logs are derived from; the logs are means already.

    Args:
        stateful_metrics: has no effect.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> class Printer(keras.callbacks.BaseLogger):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(sorted(logs))
        >>> logger = Printer()
    """

    def __init__(self, stateful_metrics: Any = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())


_names = _classes.all_translated(
    callbacks,
    callbacks.Callback,
    __name__,
    _translate,
    {
        "ModelCheckpoint": (_OlderModelCheckpoint,),
        "EarlyStopping": (_OlderEarlyStopping,),
        "ReduceLROnPlateau": (_OlderReduceLROnPlateau,),
    },
)
# Not translated: what the user writes is a subclass of it.
_names["Callback"] = callbacks.Callback
_names["History"] = callbacks.History
_names["BaseLogger"] = BaseLogger
globals().update(_names)
__all__ = sorted(_names)
__getattr__ = _unsupported.getter(__name__, callbacks)
