"""Going on where training was interrupted."""

import json
import os
import shutil
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from pyconv import _random
from pyconv._args import bool_arg, is_one_of, path_arg
from pyconv._files import replacing
from pyconv.callbacks.callback import Callback, Logs

_MODEL, _OPTIMIZER = "model/", "optimizer/"


class BackupAndRestore(Callback):
    """Keeps what training needs to go on after it was interrupted, and goes on from there.

    The next ``fit`` with the same folder takes up weights, optimizer, the state of layers and of
    the random generator, and begins with the epoch that was not completed. The files are removed
    where training ends as it should.

    Args:
        backup_dir: a folder for this alone.
        save_freq: 'epoch', or a number of batches.
        double_checkpoint: whether to keep the last file but one too, in case the last is damaged.
        delete_checkpoint: whether to remove the folder at the end.

    Raises:
        TypeError: ``backup_dir`` is not a path.
        ValueError: an argument has a wrong value; when training, the model is not built, or the
            files do not fit it.

    Example:
        >>> import pyconv
        >>> backup = pyconv.callbacks.BackupAndRestore("backup")
        >>> backup.save_freq
        'epoch'
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if backup_dir is None or (isinstance(backup_dir, str) and not backup_dir):
            raise ValueError("BackupAndRestore: Empty `backup_dir` argument passed")
        if not is_one_of(save_freq, ("epoch",)) and (
            isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1
        ):
            raise ValueError(
                "BackupAndRestore: Invalid value for argument `save_freq`. Received: "
                f"save_freq={save_freq}. Expected either 'epoch' or an integer value."
            )
        self.backup_dir = path_arg("BackupAndRestore", "backup_dir", backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = bool_arg(
            type(self).__name__, "double_checkpoint", double_checkpoint
        )
        self.delete_checkpoint = bool_arg(
            type(self).__name__, "delete_checkpoint", delete_checkpoint
        )
        self._path = os.path.join(self.backup_dir, "latest.safetensors")
        self._current_epoch = 0
        self._last_batch_seen = 0
        self._batches = 0
        if save_freq != "epoch":
            # Of the object: an epoch's backup need not hear of batches.
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take up what an earlier run left."""
        if not self.model.built:
            raise ValueError(
                "BackupAndRestore: the model must be built before fit; give it an Input, or call "
                "build(input_shape)"
            )
        if os.path.exists(self._path):
            try:
                self._restore(self._path)
            except ValueError:
                if not os.path.exists(self._path + ".bkp"):
                    raise
                self._restore(self._path + ".bkp")
        elif os.path.exists(self._path + ".bkp"):
            self._restore(self._path + ".bkp")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch, and write where ``save_freq`` is 'epoch'."""
        self._current_epoch = epoch + 1
        self._last_batch_seen = 0
        if self.save_freq == "epoch":
            self._write()

    def _after_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._last_batch_seen = batch
        self._batches += 1
        if self._batches % int(self.save_freq) == 0:
            self._write()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the files, unless training was interrupted."""
        if self.delete_checkpoint and not self.model.interrupted:
            shutil.rmtree(self.backup_dir, ignore_errors=True)

    def _write(self) -> None:
        from safetensors.numpy import save

        model, optimizer = self.model, self.model.optimizer
        tensors = {f"{_MODEL}{i}": np.array(w) for i, w in enumerate(model.weights)}
        if optimizer is not None:
            state = optimizer.state_dict()
            tensors.update({_OPTIMIZER + k: np.array(v, order="C") for k, v in state.items()})
        progress = {
            "epoch": self._current_epoch,
            "batch": self._last_batch_seen,
            "layers": [layer.get_state() for layer in model.running_layers],
            "random": _random.generator().bit_generator.state,
            "learning_rate": None if optimizer is None else _fixed_rate(optimizer),
        }
        metadata = {"progress": json.dumps(progress)}
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and os.path.exists(self._path):
            os.replace(self._path, self._path + ".bkp")
        with replacing(self._path) as file:
            file.write(save(tensors, {**metadata, "crc32": _checksum(tensors, metadata)}))

    def _restore(self, path: str) -> None:
        model, optimizer = self.model, self.model.optimizer
        try:
            tensors, progress = _read(path)
            weights = [tensors.pop(f"{_MODEL}{i}") for i in range(len(model.weights))]
            state = {key.removeprefix(_OPTIMIZER): value for key, value in tensors.items()}
            if [w.shape for w in weights] != [w.shape for w in model.weights]:
                raise ValueError("it is of another model")
            if optimizer is not None:
                if not optimizer.built:
                    optimizer.variable_names = model._param_names()
                    optimizer.build(model._params())
                optimizer.load_state_dict(state)
                if progress["learning_rate"] is not None:
                    optimizer.learning_rate = progress["learning_rate"]
            for layer, layer_state in zip(model.running_layers, progress["layers"], strict=True):
                layer.set_state(layer_state)
            model.set_weights(weights)
            _random.generator().bit_generator.state = progress["random"]
            epoch = int(progress["epoch"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"BackupAndRestore: {path} is damaged or of another model: {error}; remove it to "
                "begin anew"
            ) from error
        model.resumed_epoch = self._current_epoch = epoch


def _read(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(str(error)) from None
    if metadata.pop("crc32", None) != _checksum(tensors, metadata):
        raise ValueError("its checksum is wrong")
    progress: dict[str, Any] = json.loads(metadata["progress"])
    return tensors, progress


def _checksum(tensors: Mapping[str, Any], metadata: Mapping[str, str]) -> str:
    crc = zlib.crc32(json.dumps(sorted(metadata.items())).encode())
    for key in sorted(tensors):
        crc = zlib.crc32(tensors[key].data, zlib.crc32(key.encode(), crc))
    return f"{crc:08x}"


def _fixed_rate(optimizer: Any) -> float | None:
    """Return the learning rate, where it is a number and not a schedule."""
    rate = optimizer._learning_rate
    return float(rate) if isinstance(rate, float) else None
