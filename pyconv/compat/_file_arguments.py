"""What Keras 3 says of files' names and of older arguments, where it is followed by choice."""

import os
from typing import Any

from pyconv.compat import _era

_MODELS = (".keras", ".h5", ".hdf5", ".safetensors", ".onnx")


def _checked_ending(filepath: Any) -> str | None:
    """Return how a file's name ends, None where Keras 3 says nothing of it.

    That is where it is no name, or that of a folder, or Keras 3 is not chosen.
    """
    if not isinstance(filepath, (str, os.PathLike)) or not _era.is_keras3_by_choice():
        return None
    if os.path.isdir(filepath):
        return None
    return os.path.splitext(os.fspath(filepath))[1].lower()


def check_save(filepath: Any, kwargs: dict[str, Any], zipped: Any = True) -> None:
    """Check the arguments of ``save``; ``save_format`` is taken away, the ending says it.

    Raises:
        ValueError: the file's ending is none of Keras 3's, or an argument is unknown to it.
    """
    save_format = kwargs.pop("save_format", None)
    if not _era.is_keras3_by_choice():
        return
    ending = _checked_ending(filepath) if zipped else None
    if save_format is not None and ending is not None and ending not in _MODELS:
        raise ValueError(
            "save: The `save_format` argument is deprecated in Keras 3: the file's ending says "
            f"the format, one of {', '.join(_MODELS[:4])}; got {filepath}"
        )
    if kwargs:
        raise ValueError(f"save: The following argument(s) are not supported: {sorted(kwargs)}")
    if ending is not None and ending not in _MODELS[:4]:
        raise ValueError(
            f"save: Invalid filepath extension for saving: it must be one of "
            f"{', '.join(_MODELS[:4])}, got {filepath}"
        )


def check_load(filepath: Any) -> None:
    """Check the name of a model's file.

    Raises:
        ValueError: there is no such file, and no format of this ending.
    """
    ending = _checked_ending(filepath)
    if ending is None or os.path.exists(filepath):
        return
    if ending == ".keras":
        raise ValueError(
            f"load_model: File not found: filepath={filepath}. Please ensure the file is an "
            "accessible `.keras` zip file."
        )
    if ending not in _MODELS:
        raise ValueError(
            f"load_model: File format not supported: filepath={filepath}; there is no such file, "
            f"and the ending of a model's is one of {', '.join(_MODELS)}"
        )


def check_weights(filepath: Any) -> None:
    """Check the name of a file of weights.

    Raises:
        ValueError: there is no such file, and no format of this ending.
    """
    ending = _checked_ending(filepath)
    if ending and ending not in _MODELS and not os.path.exists(filepath):
        raise ValueError(
            f"load_weights: File format not supported: filepath={filepath}; there is no such "
            "file, and the ending of one is .keras, .weights.h5, .h5, .hdf5 or .safetensors"
        )
