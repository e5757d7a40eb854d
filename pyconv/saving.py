"""Models in files: Keras's formats by their endings, else safetensors.

The latter has the configuration as JSON in the header. Nothing in a file is executed:
configurations are plain data, and classes are looked up in fixed tables. A model takes its weights
from the file as they are, so that a small file cannot ask for much memory, and a checksum finds
damage.
"""

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import compile_config
from pyconv._args import bool_arg, float_arg, path_arg
from pyconv._files import place, replacing
from pyconv._registry import check_custom
from pyconv.custom_objects import CustomObjectScope, in_scope
from pyconv.formats import files, keras_archive, keras_folder, keras_graph, keras_shards
from pyconv.formats.fitting import fit
from pyconv.formats.places import Place, ids_within
from pyconv.formats.stored import (
    Stored,
    from_stored,
    layer_states,
    set_states,
    wired,
)
from pyconv.layers.graph import flat
from pyconv.layers.layer import Layer
from pyconv.model import Sequential, model_arg

_FORMAT = "pyconv"
_OPTIMIZER = "optimizer/"

Tensors = dict[str, NDArray[Any]]


def save_model(
    model: Sequential,
    filepath: Any,
    overwrite: bool = True,
    include_optimizer: bool = True,
    zipped: bool = True,
) -> None:
    """Write a model; see ``Sequential.save``.

    ``filepath`` may also be a file that is open for writing bytes, for the format of ``.keras``.

    Example:
        >>> import pyconv, tempfile, os
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
        >>> pyconv.models.save_model(model, path)
        >>> pyconv.models.load_model(path).count_params()
        10
    """
    model_arg("save", model)
    include_optimizer = bool_arg("save", "include_optimizer", include_optimizer)
    if hasattr(filepath, "write"):
        keras_archive.write(filepath, model, include_optimizer)
        return
    if not bool_arg("save", "zipped", zipped):
        _save_folder(model, filepath, overwrite, include_optimizer)
        return
    path = _checked_place(model, "save", filepath, overwrite)
    if path.lower().endswith(".onnx"):
        raise ValueError(
            f"save: ONNX is read, not written, got {path}; give a name that ends in .keras, .h5 or "
            ".safetensors"
        )
    if files.is_keras(path):
        files.save(model, path, include_optimizer)
        return
    if any(getattr(layer, "runs_whole_call", False) for layer in model._layers):
        raise NotImplementedError(
            f"save: {model.label}: its call is code, which only .keras and .h5 files know by its "
            "class; take one of these, or save_weights"
        )
    tensors = _weights(model, "save")
    metadata = {
        "model": json.dumps(model.wired_config(True) or model.stack_config()),
        "state": json.dumps(layer_states(model)),
    }
    compiled = model.get_compile_config() if include_optimizer else None
    if compiled is not None:
        metadata["compile"] = json.dumps(compiled)
        optimizer = model.optimizer
        if optimizer is not None:
            places = np.argsort(model.file_order() or [])
            for name, value in optimizer.state_dict().items():
                slot, _, i = name.rpartition("/")
                if len(places) and slot and i.isdecimal():
                    name = f"{slot}/{places[int(i)]}"
                tensors[_OPTIMIZER + name] = np.asarray(value)
    _write(path, tensors, metadata)


def _save_folder(
    model: Sequential, filepath: Any, overwrite: bool, include_optimizer: bool
) -> None:
    path = os.path.abspath(path_arg("save", "filepath", filepath))
    if path.lower().endswith(".keras"):
        raise ValueError(
            "save: When using `zipped=False`, the name is that of a folder, and should not end in "
            f"`.keras`: got {path}"
        )
    if os.path.isfile(path):
        raise FileExistsError(f"save: {path} is a file, not a folder")
    if not bool_arg("save", "overwrite", overwrite) and os.path.exists(path):
        raise FileExistsError(f"save: {path} exists, and overwrite is False")
    keras_folder.check(path)
    keras_folder.write(path, model, include_optimizer)


def save_weights(
    model: Sequential,
    filepath: Any,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    objects_to_skip: Any = None,
) -> None:
    """Write a model's weights; see ``Sequential.save_weights``."""
    skipped = ids_within(objects_to_skip)
    if max_shard_size is not None:
        size = float_arg("save_weights", "max_shard_size", max_shard_size)
        path = path_arg("save_weights", "filepath", filepath)
        if not path.endswith((".weights.h5", ".weights.json")):
            raise ValueError(
                "save_weights: The filename must end in `.weights.json` when max_shard_size is "
                f"given, got {path}"
            )
        index = path.removesuffix(".h5").removesuffix(".json") + ".json"
        keras_shards.write(
            _checked_place(model, "save_weights", index, overwrite), model, size, skipped
        )
        return
    path = _checked_place(model, "save_weights", filepath, overwrite)
    if skipped and not path.lower().endswith(".weights.h5"):
        raise ValueError(
            f"save_weights: objects_to_skip only supports '.weights.h5' files, got {path}"
        )
    if files.is_keras(path):
        files.save_weights(model, path, skipped)
    else:
        _write(path, _weights(model, "save_weights"), {})


def load_model(
    filepath: Any,
    custom_objects: dict[str, type[Layer]] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Sequential:
    """Read a model that ``Sequential.save`` or Keras (1, 2 or 3) wrote.

    Args:
        filepath: the file, of any of the formats of ``Sequential.save``; where its name ends in
            ``.onnx``, it is read by ``pyconv.onnx.load``. Also a file that is open for reading
            bytes, of the format of ``.keras``.
        custom_objects: your own layer classes by name.
        compile: whether to compile it and restore the optimizer's state, if it was compiled.
        safe_mode: has no effect: code in a file is never run.

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
    compile = bool_arg("load_model", "compile", compile)
    check_custom(custom_objects)
    if hasattr(filepath, "read"):
        stored: Stored | None = files.read_archive("load_model", filepath)
        path = "the open file"
    else:
        path = path_arg("load_model", "filepath", filepath)
        if path.lower().endswith(".onnx"):
            from pyconv import onnx

            return onnx.load(path)
        stored = files.read("load_model", path)
    if stored is None:
        tensors, metadata = _read(path, "load_model")
    if "model" not in metadata if stored is None else stored.config is None:
        raise ValueError(
            f"load_model: {path} holds weights only; build the model and call load_weights"
        )
    try:
        if stored is not None:
            return from_stored(stored, custom_objects, compile)
        model = _made(tensors, metadata, custom_objects)
        if compile and "compile" in metadata:
            with CustomObjectScope({**in_scope(), **(custom_objects or {})}):
                _compile(model, tensors, metadata)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"load_model: {path} holds no valid model: {error}") from error
    return model


def load_weights(
    model: Sequential,
    filepath: Any,
    skip_mismatch: bool = False,
    by_name: bool = False,
    objects_to_skip: Any = None,
) -> None:
    """Read weights into a model; see ``Sequential.load_weights``."""
    model_arg("load_weights", model)
    by_name = bool_arg("load_weights", "by_name", by_name)
    skip_mismatch = bool_arg("load_weights", "skip_mismatch", skip_mismatch)
    path = path_arg("load_weights", "filepath", filepath)
    if objects_to_skip is not None and not path.endswith((".weights.h5", ".weights.json")):
        raise ValueError(
            f"load_weights: objects_to_skip only supports loading '.weights.h5' files, got {path}"
        )
    stored = files.read("load_weights", path)
    if stored is None:
        tensors, _ = _read(path, "load_weights")
        stored = Stored(_by_layer(tensors))
    if not model.built:
        raise ValueError(
            f"{model.label}: load_weights needs a built model; call build(input_shape) first. You "
            "are loading weights into a model that has not yet been built."
        )
    try:
        fit(model, stored, by_name, skip_mismatch, ids_within(objects_to_skip))
    except ValueError as error:
        raise ValueError(f"load_weights: {path} does not fit: {error}") from None


def _made(
    tensors: Tensors, metadata: dict[str, str], custom_objects: dict[str, type[Layer]] | None
) -> Sequential:
    weights = _by_layer(tensors)
    config = json.loads(metadata["model"])
    if keras_graph.is_wired(config) or keras_graph.has_own(config):
        own = {k: v for k, v in tensors.items() if not k.startswith(_OPTIMIZER)}
        model = wired(config, Stored(_by_layer(own)), custom_objects)
        set_states(model, json.loads(metadata.get("state", "{}")))
        return model
    model = Sequential.from_config(config, custom_objects, weights)
    used = {la.name: la.weights_of_files for la in flat(model._layers) if la.weights}
    if not model.built or {k: set(v) for k, v in weights.items()} != {
        k: set(v) for k, v in used.items()
    }:
        raise ValueError("its weights are not those of its layers")
    set_states(model, json.loads(metadata.get("state", "{}")))
    return model


def _compile(model: Sequential, tensors: Tensors, metadata: dict[str, str]) -> None:
    model.compile_from_config(compile_config.known(json.loads(metadata["compile"])))
    state = {k[len(_OPTIMIZER) :]: v for k, v in tensors.items() if k.startswith(_OPTIMIZER)}
    if state and model.optimizer is not None:
        model.optimizer.load_state_dict(state)


def _checked_place(model: Sequential, owner: str, filepath: Any, overwrite: bool) -> str:
    model_arg(owner, model)
    path = place(owner, filepath)
    if not bool_arg(owner, "overwrite", overwrite) and os.path.exists(path):
        raise FileExistsError(f"{owner}: {path} exists, and overwrite is False")
    if not model.built and not (owner == "save" and path.lower().endswith(".keras")):
        raise ValueError(
            f"{model.label}: {owner} needs a built model; call build(input_shape) first. You are "
            "saving a model that has not yet been built."
        )
    return path


def _weights(model: Sequential, owner: str) -> Tensors:
    for one in _places(model):
        if one.saves_itself or one.loads_itself:
            raise NotImplementedError(
                f"{owner}: {one.owner.label} says itself what files have of it, which only those "
                "of Keras 3 know: take .keras or .weights.h5"
            )
    # Numbered, so that weights are found again by the order of the layers.
    return {
        f"{i:03d}/{place.name.replace('/', '.')}/{name}": weight
        for i, place in enumerate(place for place in _places(model) if place.weights)
        for name, weight in place.weights.items()
    }


def _places(model: Sequential) -> Iterator[Place]:
    for _, places in model.file_members(as_network=True):
        yield from places


def _by_layer(tensors: Tensors) -> dict[str, Tensors]:
    """Return the weights by layer and name, in the order of the layers."""
    numbered: dict[tuple[int, str], Tensors] = {}
    for key, value in tensors.items():
        number, _, rest = key.partition("/")
        layer, _, name = rest.partition("/")
        if number.isdecimal() and name:
            numbered.setdefault((int(number), layer), {})[name] = value
    return {layer: numbered[number, layer] for number, layer in sorted(numbered)}


def _write(path: str, tensors: Tensors, metadata: dict[str, str]) -> None:
    from safetensors.numpy import save

    tensors = {k: np.asarray(v, order="C") for k, v in tensors.items()}
    checked = {"format": _FORMAT, **metadata}
    data = save(tensors, {**checked, "crc32": _checksum(tensors, checked)})
    with replacing(path) as file:
        file.write(data)


def _read(path: str, owner: str) -> tuple[Tensors, dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise ValueError(f"{owner}: {path} is a safetensors file, but not of pyconv")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{owner}: {path} is damaged or no model file: {error}") from None
    stored = metadata.pop("crc32", "nothing")
    checksum = _checksum(tensors, metadata)
    if stored != checksum:
        raise ValueError(
            f"{owner}: {path} is damaged: its checksum is {checksum}, and should be {stored!r:.40}"
        )
    return tensors, metadata


def _checksum(tensors: Tensors, metadata: Mapping[str, str]) -> str:
    """Return the CRC-32 of all that a file says; the format itself has none."""
    crc = zlib.crc32(json.dumps(sorted(metadata.items())).encode())
    for key in sorted(tensors):
        array = tensors[key]
        crc = zlib.crc32(f"{key} {array.dtype.str} {array.shape}".encode(), crc)
        crc = zlib.crc32(array.data, crc)
    return f"{crc:08x}"
