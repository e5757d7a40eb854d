"""Metrics, and the spread of weights, for TensorBoard."""

import os
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from pyconv._args import bool_arg, int_arg, path_arg
from pyconv.callbacks.callback import Callback, Logs
from pyconv.callbacks.learning_rate import rates_of

if TYPE_CHECKING:
    from pyconv.callbacks._event_file import EventFile


class TensorBoard(Callback):
    """Writes event files that ``tensorboard --logdir LOG_DIR`` shows.

    Training goes to ``log_dir/train``, validation to ``log_dir/validation``, under Keras's names:
    ``epoch_loss``, ``epoch_learning_rate``, ``evaluation_loss_vs_iterations``, ``batch_loss``.
    TensorFlow is not needed.

    Args:
        log_dir: the folder.
        histogram_freq: epochs between histograms of the weights; 0 for none.
        write_graph: has no effect.
        write_images: has no effect.
        write_steps_per_second: whether to write the steps a second.
        update_freq: 'epoch', or a number of batches ('batch' for 1) after which metrics are
            written as well.
        profile_batch: has no effect; ``pyconv.profile`` takes traces.
        embeddings_freq, embeddings_metadata: have no effect.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: ``update_freq`` is none of these.

    Example:
        >>> import pyconv
        >>> board = pyconv.callbacks.TensorBoard("logs/run1", update_freq=100)
        >>> board.log_dir
        'logs/run1'
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        owner = "TensorBoard"
        self.log_dir = path_arg(owner, "log_dir", log_dir)
        self.histogram_freq = int_arg(owner, "histogram_freq", histogram_freq, 0)
        self.write_steps_per_second = bool_arg(
            owner, "write_steps_per_second", write_steps_per_second
        )
        if isinstance(update_freq, str) and update_freq not in ("epoch", "batch"):
            raise ValueError(
                f"{owner}: update_freq must be 'epoch', 'batch' or a number of batches, got "
                f"{update_freq!r}"
            )
        self.update_freq: Any = (
            {"epoch": "epoch", "batch": 1}[update_freq]
            if isinstance(update_freq, str)
            else int_arg(owner, "update_freq", update_freq)
        )
        if not (profile_batch is None or (isinstance(profile_batch, int) and not profile_batch)):
            warnings.warn(
                f"{owner}: profile_batch has no effect; take a trace with pyconv.profile",
                stacklevel=2,
            )
        self._files: dict[str, EventFile] = {}
        self._batch = 0
        self._batch_began = self._epoch_began = 0.0
        self._steps_before = 0
        if self.update_freq != "epoch":
            # Of the object: without, no batch is asked for its metrics.
            self.on_train_batch_begin = self._before_batch  # type: ignore[method-assign]
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Count batches anew."""
        self._batch = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the time."""
        self._epoch_began, self._steps_before = time.perf_counter(), self._iterations()

    def _before_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._batch += 1
        self._batch_began = time.perf_counter()

    def _after_batch(self, batch: int, logs: Logs | None = None) -> None:
        if self._batch % self.update_freq:
            return
        values: dict[str, Any] = {}
        if self.write_steps_per_second:
            values["steps_per_second"] = 1 / max(time.perf_counter() - self._batch_began, 1e-9)
        self._write("train", {**values, **(logs or {})}, "batch_{}", self._batch)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the metrics of an evaluation."""
        name = "evaluation_{}_vs_iterations"
        self._write("validation", logs or {}, name, self._iterations())

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the metrics of the epoch."""
        logs, optimizer = logs or {}, self.model.optimizer
        train: dict[str, Any] = {k: v for k, v in logs.items() if not k.startswith("val_")}
        if optimizer is not None:
            rates = rates_of(optimizer)
            train.update((name, one.learning_rate) for name, one in rates.items())
        if self.write_steps_per_second:
            spent = max(time.perf_counter() - self._epoch_began, 1e-9)
            train["steps_per_second"] = (self._iterations() - self._steps_before) / spent
        self._write("train", train, "epoch_{}", epoch)
        validation = {k[4:]: v for k, v in logs.items() if k.startswith("val_")}
        self._write("validation", validation, "epoch_{}", epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for layer in self.model.running_layers:
                for name, weight in layer.named_weights.items():
                    tag = f"{layer.name}/{name}/histogram"
                    self._file("train").histogram(tag, np.asarray(weight), epoch)
        for file in self._files.values():
            file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _iterations(self) -> int:
        optimizer = self.model.optimizer
        return 0 if optimizer is None else int(optimizer.iterations)

    def _write(self, where: str, logs: dict[str, Any], name: str, step: int) -> None:
        for key, value in logs.items():
            if np.ndim(value) == 0:
                self._file(where).scalar(name.format(key), float(value), step)

    def _file(self, where: str) -> "EventFile":
        from pyconv.callbacks._event_file import EventFile

        if where not in self._files:
            self._files[where] = EventFile(os.path.join(self.log_dir, where))
        return self._files[where]
