"""``tf.train.Checkpoint``: the weights and states of several objects in one file."""

import os
from typing import Any
from zipfile import BadZipFile

import numpy as np

from pyconv._files import replacing
from pyconv.compat._unsupported import NotInPyconvError
from pyconv.compat.tensorflow._variable import Variable

_ENDING = ".npz"


class Checkpoint:
    """The weights of models and layers, the states of optimizers, and variables, by name.

    Args:
        root: an object without a name of its own, or None.
        **kwargs: models, layers, optimizers and ``tf.Variable``s.

    Raises:
        TypeError: one is something else.
    """

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        self._objects = {**({} if root is None else {"root": root}), **kwargs}
        self._number = 0
        for name, found in self._objects.items():
            if not isinstance(found, Variable) and not hasattr(found, "set_weights"):
                raise TypeError(
                    f"tf.train.Checkpoint: {name} must be a model, a layer, an optimizer or a "
                    f"variable, got a {type(found).__name__}"
                )
            vars(self)[name] = found

    def write(self, file_prefix: Any, options: Any = None) -> str:
        """Write the file ``file_prefix``; return its name."""
        path = os.fsdecode(file_prefix)
        arrays: dict[str, Any] = {}
        for name, found in self._objects.items():
            for key, array in _arrays_of(found).items():
                arrays[f"{name}/{key}"] = np.asarray(array)
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        with replacing(os.path.abspath(path + _ENDING)) as file:
            np.savez(file, **arrays)
        return path

    def save(self, file_prefix: Any, options: Any = None) -> str:
        """Write the file ``file_prefix-N``, N counting from 1; return its name."""
        self._number += 1
        return self.write(f"{os.fsdecode(file_prefix)}-{self._number}")

    def restore(self, save_path: Any, options: Any = None) -> "_Status":
        """Read what ``save`` or ``write`` wrote; nothing for None.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is damaged, or does not fit.
        """
        if save_path is None:
            return _Status()
        path = os.fsdecode(save_path)
        path = path if path.endswith(_ENDING) else path + _ENDING
        arrays = _read(path)
        for name, found in self._objects.items():
            start = f"{name}/"
            own = {k[len(start) :]: v for k, v in arrays.items() if k.startswith(start)}
            if not own and _arrays_of(found):
                raise ValueError(f"tf.train.Checkpoint: {path} has nothing of {name!r}")
            try:
                _give(found, own)
            except KeyError as error:
                raise ValueError(
                    f"tf.train.Checkpoint: {path} has no {error} of {name!r}"
                ) from None
        return _Status()

    read = restore


class _Status:
    """Says nothing: what a file holds is taken at once."""

    def assert_consumed(self) -> "_Status":
        """Do nothing."""
        return self

    expect_partial = assert_existing_objects_matched = assert_consumed


class CheckpointManager:
    """Writes checkpoints into a folder, and keeps the last ones.

    Args:
        checkpoint: a ``Checkpoint``.
        directory: the folder.
        max_to_keep: how many are kept; None for all.
        checkpoint_name: how the files begin.
        **kwargs: have no effect.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: Any,
        max_to_keep: int | None,
        checkpoint_name: str = "ckpt",
        **kwargs: Any,
    ) -> None:
        self._checkpoint, self._most = checkpoint, max_to_keep
        self._prefix = os.path.join(os.fsdecode(directory), checkpoint_name)
        self.checkpoints = self._found()
        if self.checkpoints:
            checkpoint._number = int(self.checkpoints[-1].rpartition("-")[2])

    def _found(self) -> list[str]:
        folder, start = os.path.dirname(self._prefix), os.path.basename(self._prefix) + "-"
        names = os.listdir(folder) if os.path.isdir(folder) else []
        numbers = [n[len(start) : -len(_ENDING)] for n in names if n.startswith(start)]
        return [f"{self._prefix}-{n}" for n in sorted(map(int, filter(str.isdigit, numbers)))]

    @property
    def latest_checkpoint(self) -> str | None:
        """The last file, None where there is none."""
        return self.checkpoints[-1] if self.checkpoints else None

    def save(self, checkpoint_number: int | None = None, **kwargs: Any) -> str:
        """Write a checkpoint; return its name."""
        if checkpoint_number is not None:
            self._checkpoint._number = int(checkpoint_number) - 1
        path = self._checkpoint.save(self._prefix)
        self.checkpoints = [*(p for p in self.checkpoints if p != path), path]
        while self._most is not None and len(self.checkpoints) > self._most:
            os.remove(self.checkpoints.pop(0) + _ENDING)
        return path

    def restore_or_initialize(self) -> str | None:
        """Read the last checkpoint, where there is one; return its name."""
        self._checkpoint.restore(self.latest_checkpoint)
        return self.latest_checkpoint


def save_model(obj: Any, export_dir: Any, *args: Any, **kwargs: Any) -> None:
    """Write a Keras model into a folder, for ``load_model``: TensorFlow itself cannot read it."""
    if not hasattr(obj, "save"):
        raise NotInPyconvError(
            f"tf.saved_model.save: obj must be a Keras model, got a {type(obj).__name__}; "
            "tf.train.Checkpoint saves variables"
        )
    os.makedirs(export_dir, exist_ok=True)
    obj.save(export_dir)


def load_model(export_dir: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the Keras model of a folder that ``save_model`` wrote."""
    from pyconv.compat import keras

    return keras.models.load_model(export_dir)


# What numpy and zipfile raise where bytes of a file are not what they were.
_DAMAGE = (
    ValueError, TypeError, AttributeError, EOFError, OSError, BadZipFile, NotImplementedError,
)  # fmt: skip


def _read(path: str) -> dict[str, Any]:
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
        except _DAMAGE as error:
            raise ValueError(
                f"tf.train.Checkpoint: {path} is damaged or no checkpoint: {error}"
            ) from None


def _arrays_of(found: Any) -> dict[str, Any]:
    if isinstance(found, Variable):
        return {"value": np.asarray(found)}
    if hasattr(found, "state_dict"):
        state: dict[str, Any] = found.state_dict()
        return state
    return {str(i): w for i, w in enumerate(found.get_weights())}


def _give(found: Any, arrays: dict[str, Any]) -> None:
    if isinstance(found, Variable):
        found.assign(arrays["value"])
    elif hasattr(found, "load_state_dict"):
        found.load_state_dict(arrays)
    else:
        found.set_weights([arrays[str(i)] for i in range(len(arrays))])
