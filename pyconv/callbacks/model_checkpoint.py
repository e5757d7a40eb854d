"""Saving the model while it is trained."""

import os
import warnings

from pyconv._args import bool_arg, float_arg, int_arg, path_arg, verbose_arg
from pyconv._messages import say
from pyconv.callbacks.callback import Logs
from pyconv.callbacks.monitor import MonitorCallback


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after each epoch or every so many batches.

    Args:
        filepath: name of the file, with any suffix; ``{epoch:02d}`` (from 1), ``{batch}`` and
            names of metrics such as ``{val_loss:.2f}`` are filled in. Folders are made.
        monitor: the metric that tells whether a model is better.
        verbose: 1 to say what is saved.
        save_best_only: whether to save only a model that is better than the best so far.
        save_weights_only: whether to save weights without architecture and optimizer.
        mode: 'min', 'max', or 'auto' to tell by the metric's name.
        save_freq: 'epoch', or a number of batches.
        initial_value_threshold: what the metric must beat at first.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range, or, when training, the direction of the metric is
            not known.

    Example:
        >>> import pyconv
        >>> best = pyconv.callbacks.ModelCheckpoint("best.hdf5", verbose=1, save_best_only=True)
        >>> best.monitor
        'val_loss'
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        owner = "ModelCheckpoint"
        self.filepath = path_arg(owner, "filepath", filepath)
        self.verbose = verbose_arg(owner, verbose)
        self.save_best_only = bool_arg(owner, "save_best_only", save_best_only)
        self.save_weights_only = bool_arg(owner, "save_weights_only", save_weights_only)
        if isinstance(save_freq, str) and save_freq != "epoch":
            raise ValueError(
                f"{owner}: Unrecognized save_freq {save_freq!r}; it must be 'epoch' or a number of "
                "batches"
            )
        self.save_freq = (
            save_freq if isinstance(save_freq, str) else int_arg(owner, "save_freq", save_freq)
        )
        any_number = -float("inf"), float("inf")
        self.best = (
            None
            if initial_value_threshold is None
            else float_arg(owner, "initial_value_threshold", initial_value_threshold, *any_number)
        )
        self._epoch = 0
        self._batches = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Count batches anew; the best value is kept from one fit to the next."""
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save where ``save_freq`` batches have passed."""
        if isinstance(self.save_freq, int):
            self._batches += 1
            if self._batches % self.save_freq == 0:
                self._save(self._epoch, logs or {}, batch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save where ``save_freq`` is 'epoch'."""
        if self.save_freq == "epoch":
            self._save(epoch, logs or {}, None)

    def _save(self, epoch: int, logs: Logs, batch: int | None) -> None:
        path = self._path(epoch, logs, batch)
        title = f"\nEpoch {epoch + 1}:"
        current = logs.get(self.monitor)
        if not self.save_best_only or current is None:
            if self.save_best_only:
                warnings.warn(
                    f"Can save best model only with {self.monitor} available.", stacklevel=2
                )
            self._say(f"{title} saving model to {path}")
            self._write(path)
        elif self._is_improvement(current, self.best):
            self._say(
                f"{title} {self.monitor} improved from {_shown(self.best)} to {current:.5f}, "
                f"saving model to {path}"
            )
            self._write(path)
            self.best = current
        else:
            self._say(f"{title} {self.monitor} did not improve from {_shown(self.best)}")
            return
        self._say(f"{title} finished saving model to {path}")

    def _write(self, path: str) -> None:
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _path(self, epoch: int, logs: Logs, batch: int | None) -> str:
        names: dict[str, float] = {**logs, "epoch": epoch + 1}
        if batch is not None:
            names["batch"] = batch + 1
        try:
            return self.filepath.format(**names)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"ModelCheckpoint: filepath {self.filepath!r} cannot be filled in from "
                f"{sorted(names)}: {error!r}"
            ) from None

    def _say(self, text: str) -> None:
        if self.verbose:
            say(text)


def _shown(best: float | None) -> str:
    return "None" if best is None else f"{best:.5f}"
