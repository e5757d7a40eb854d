"""Models in files of the safetensors format, with the configuration as JSON in the header.

Nothing in a file is executed: configurations are plain data, and classes are looked up in fixed
tables.
"""

import json
import os
import tempfile
from typing import Any

import numpy as np

from pyconv._types import Array
from pyconv.model import Sequential

_FORMAT = "pyconv"
_OPTIMIZER = "optimizer/"


def save_model(model: Sequential, filepath: Any, overwrite: bool = True) -> None:
    """Write a model; see ``Sequential.save``."""
    tensors = _weights(model, "save")
    metadata = {"format": _FORMAT, "model": json.dumps(model.get_config())}
    compiled = model.get_compile_config()
    if compiled is not None:
        metadata["compile"] = json.dumps(compiled)
        optimizer = model.optimizer
        if optimizer is not None:
            for name, value in optimizer.state_dict().items():
                tensors[_OPTIMIZER + name] = np.asarray(value)
    _write(filepath, tensors, metadata, overwrite)


def save_weights(model: Sequential, filepath: Any, overwrite: bool = True) -> None:
    """Write a model's weights; see ``Sequential.save_weights``."""
    _write(filepath, _weights(model, "save_weights"), {"format": _FORMAT}, overwrite)


def load_model(filepath: Any, compile: bool = True) -> Sequential:
    """Read a model that ``Sequential.save`` wrote.

    Args:
        filepath: the file.
        compile: whether to compile it and restore the optimizer's state, if it was compiled.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or no model of pyconv.

    Example:
        >>> import pyconv, tempfile, os
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> model.save(path)
        >>> pyconv.models.load_model(path).count_params()
        10
    """
    tensors, metadata = _read(filepath, "load_model")
    if "model" not in metadata:
        raise ValueError(
            f"load_model: {filepath} holds weights only; build the model and call load_weights"
        )
    model = Sequential.from_config(_json(filepath, metadata["model"]))
    _assign(model, tensors, filepath, "load_model", False)
    if compile and "compile" in metadata:
        model.compile_from_config(_json(filepath, metadata["compile"]))
        state = {k[len(_OPTIMIZER) :]: v for k, v in tensors.items() if k.startswith(_OPTIMIZER)}
        if state and model.optimizer is not None:
            model.optimizer.load_state_dict(state)
    return model


def load_weights(model: Sequential, filepath: Any, skip_mismatch: bool = False) -> None:
    """Read weights into a model; see ``Sequential.load_weights``."""
    tensors, _ = _read(filepath, "load_weights")
    if not model.built:
        raise ValueError(f"{model.label}: load_weights needs a built model; call build first")
    _assign(model, tensors, filepath, "load_weights", skip_mismatch)


def _weights(model: Sequential, owner: str) -> dict[str, Array]:
    if not model.built:
        raise ValueError(f"{model.label}: {owner} needs a built model; call build(input_shape)")
    # Numbered, so that weights are found again by the order of the layers.
    return {
        f"{i:03d}/{layer.name}/{name}": weight
        for i, layer in enumerate(la for la in model.layers if la.weights)
        for name, weight in layer.named_weights.items()
    }


def _assign(
    model: Sequential, tensors: dict[str, Array], path: Any, owner: str, skip_mismatch: bool
) -> None:
    stored: dict[int, dict[str, Array]] = {}
    for key, value in tensors.items():
        parts = key.split("/")
        if not key.startswith(_OPTIMIZER) and len(parts) == 3 and parts[0].isdecimal():
            stored.setdefault(int(parts[0]), {})[parts[2]] = value
    targets = [layer for layer in model.layers if layer.weights]
    if len(stored) != len(targets) and not skip_mismatch:
        raise ValueError(
            f"{owner}: {path} has weights of {len(stored)} layers, the model has {len(targets)}"
        )
    pairs = []
    for i, layer in enumerate(targets):
        for name, weight in layer.named_weights.items():
            value = stored.get(i, {}).get(name)
            if value is None or value.shape != weight.shape or value.dtype != np.float32:
                if skip_mismatch:
                    continue
                got = "nothing" if value is None else f"{value.dtype} {value.shape}"
                raise ValueError(
                    f"{owner}: {layer.label}: {name} must be float32 {weight.shape}, "
                    f"got {got} from {path}"
                )
            pairs.append((weight, value))
    for weight, value in pairs:
        weight[...] = value


def _write(
    filepath: Any, tensors: dict[str, Array], metadata: dict[str, str], overwrite: bool
) -> None:
    from safetensors.numpy import save

    path = os.path.abspath(os.fspath(filepath))
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save: {path} exists, and overwrite is False")
    data = save({k: np.ascontiguousarray(v) for k, v in tensors.items()}, metadata)
    folder = os.path.dirname(path)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(filepath: Any, owner: str) -> tuple[dict[str, Array], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    path = os.fspath(filepath)
    with open(path, "rb") as file:
        start = file.read(8)
    for magic, what in ((b"\x89HDF\r\n\x1a\n", "an HDF5 file"), (b"PK\x03\x04", "a zip file")):
        if start.startswith(magic):
            raise ValueError(
                f"{owner}: {path} is {what}, such as Keras writes; pyconv reads what its own "
                "save and save_weights wrote"
            )
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{owner}: {path} is damaged or no model file: {error}") from None
    return tensors, metadata


def _json(path: Any, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"load_model: the configuration in {path} is damaged: {error}") from None
