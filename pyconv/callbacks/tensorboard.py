"""Metrics, and the spread of weights, for TensorBoard."""

import os
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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
        write_images: whether those weights are written as images as well.
        write_steps_per_second: whether to write the steps a second.
        update_freq: 'epoch', or a number of batches ('batch' for 1) after which metrics are
            written as well.
        profile_batch: has no effect; ``pyconv.profile`` takes traces.
        embeddings_freq: epochs between files of the weights for the projector of embeddings
            (``keras_embedding.ckpt-EPOCH.weights.h5``, which needs h5py); 0 for none.
        embeddings_metadata: path of a file of labels, or a dict of such by name of the layer.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: ``update_freq`` is none of these; when training, ``embeddings_metadata`` names
            a layer that is no embedding.

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
        self.write_images = bool_arg(owner, "write_images", write_images)
        self.embeddings_freq = int_arg(owner, "embeddings_freq", embeddings_freq, 0)
        self.embeddings_metadata = embeddings_metadata
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
        """Count batches anew, and say which weights are embeddings."""
        self._batch = 0
        if self.embeddings_freq:
            self._configure_embeddings()

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
        logs = logs or {}
        train: dict[str, Any] = {k: v for k, v in logs.items() if not k.startswith("val_")}
        train = self._collect_learning_rate(train)
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
                    if self.write_images:
                        self._write_image(f"{layer.name}/{name}/image", np.asarray(weight), epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            folder = os.path.join(self.log_dir, "train")
            os.makedirs(folder, exist_ok=True)
            self.model.save_weights(
                os.path.join(folder, f"keras_embedding.ckpt-{epoch}.weights.h5")
            )
        for file in self._files.values():
            file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _collect_learning_rate(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Return the logs with the learning rate, or those of several optimizers."""
        optimizer = self.model.optimizer
        rates = {} if optimizer is None else rates_of(optimizer)
        return {**logs, **{name: one.learning_rate for name, one in rates.items()}}

    def _write_image(self, tag: str, weight: NDArray[Any], step: int) -> None:
        """Write a weight as pictures: of the channels, where it has three axes that are not 1."""
        image = np.squeeze(weight)
        if image.ndim == 3:
            image = image.transpose(2, 0, 1)
        elif image.ndim == 2 and image.shape[0] > image.shape[1]:
            image = image.T
        if 1 <= image.ndim <= 3:
            shape = (*(1,) * (3 - image.ndim), *image.shape, 1)
            if image.ndim == 1:
                shape = (1, image.size, 1, 1)
            self._file("train").images(tag, image.reshape(shape), step)

    def _configure_embeddings(self) -> None:
        """Write which weights the projector shows, a text of the message ProjectorConfig."""
        labels, known = self.embeddings_metadata, set()
        lines = []
        for layer in self.model.layers:
            if not hasattr(layer, "embeddings"):
                continue
            known.add(layer.name)
            path = labels if isinstance(labels, str) else (labels or {}).get(layer.name)
            # Keras's name of the weights in its checkpoints.
            name = "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"
            lines += ["embeddings {", f'  tensor_name: "{name}"']
            lines += [] if path is None else [f'  metadata_path: "{path}"']
            lines.append("}")
        left = set() if labels is None or isinstance(labels, str) else set(labels) - known
        if left:
            raise ValueError(
                "TensorBoard: embeddings_metadata must name Embedding layers, of which the model "
                f"has {sorted(known)}, got {sorted(left)}"
            )
        os.makedirs(self.log_dir, exist_ok=True)
        with open(os.path.join(self.log_dir, "projector_config.pbtxt"), "w") as file:
            file.writelines(line + "\n" for line in lines)

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
