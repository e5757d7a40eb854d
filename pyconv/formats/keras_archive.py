"""Keras 3's ``.keras`` files: a zip of ``config.json``, ``metadata.json`` and the weights."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from pyconv.formats import (
    hdf5_reader,
    hdf5_writer,
    keras_config_writer,
    keras_hdf5,
    own_state,
)
from pyconv.formats.stored import Stored, layer_states

if TYPE_CHECKING:
    from pyconv.model import Sequential

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
ASSETS = "assets"
_STATE = "pyconv_state"
# A member may be so many times as large as what it takes in the file, and this beside.
_RATIO, _BESIDE = 20, 2**20


def write(file: IO[bytes], model: "Sequential", include_optimizer: bool) -> None:
    """Write a model to an empty file."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts(model, include_optimizer).items():
            # With no date: the same model gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name), data)


def parts(model: "Sequential", include_optimizer: bool) -> dict[str, Any]:
    """Return the contents of the files that a model is made of, by name."""
    config = keras_config_writer.model_config(model, True)
    compiled = model.get_compile_config() if include_optimizer else None
    if compiled is not None:
        config["compile_config"] = keras_config_writer.compile_config(compiled, True)
    metadata: dict[str, Any] = {"keras_version": keras_config_writer.KERAS_VERSION}
    states = layer_states(model)
    if states:
        metadata[_STATE] = states
    weights = io.BytesIO()
    hdf5_writer.write(
        weights, keras_hdf5.variables_tree(model, compiled is not None, model.is_network)
    )
    assets = own_state.assets_of(model.file_places(model.is_network))
    return {
        METADATA: json.dumps(metadata).encode(),
        CONFIG: json.dumps(config).encode(),
        WEIGHTS: weights.getbuffer(),
        **{f"{ASSETS}/{path}": data for path, data in assets.items()},
    }


def read(file: IO[bytes]) -> Stored:
    """Return what a file holds.

    Raises:
        ValueError: it is damaged, or not such a file.
    """
    size = file.seek(0, 2)
    try:
        with zipfile.ZipFile(file) as archive:
            found = {name: _member(archive, name, size) for name in (CONFIG, METADATA, WEIGHTS)}
            found.update(_assets(archive, size))
    except KeyError as error:
        raise ValueError(f"it is a zip file without {error}, so not one of Keras") from None
    except (
        EOFError,
        NotImplementedError,
        OSError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(str(error)) from None
    return from_parts(found)


def from_parts(found: Mapping[str, bytes]) -> Stored:
    """Return what files of these names hold; ValueError where they are damaged."""
    config, metadata = json.loads(found[CONFIG]), json.loads(found[METADATA])
    if not isinstance(config, dict) or not isinstance(metadata, dict):
        raise ValueError("its configuration must be a dict")
    stored = keras_hdf5.stored(hdf5_reader.read(io.BytesIO(found[WEIGHTS])))
    stored.config, stored.compiled = config, config.get("compile_config")
    stored.states = metadata.get(_STATE)
    start = f"{ASSETS}/"
    stored.assets = {n[len(start) :]: data for n, data in found.items() if n.startswith(start)}
    return stored


def _assets(archive: zipfile.ZipFile, size: int) -> Iterator[tuple[str, bytes]]:
    named = {
        info.filename: info.file_size
        for info in archive.infolist()
        if info.filename.startswith(f"{ASSETS}/") and not info.is_dir()
    }
    if sum(named.values()) > _RATIO * size + _BESIDE:
        raise ValueError(
            f"its assets are to be of {sum(named.values())} bytes, but the file is of {size}"
        )
    yield from ((name, _member(archive, name, size)) for name in named)


def _member(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    found = [info for info in archive.infolist() if info.filename == name]
    if not found:
        raise KeyError(name)
    info = found[-1]
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is compressed in a way that Keras does not use")
    if info.compress_size > size or info.file_size > _RATIO * info.compress_size + _BESIDE:
        raise ValueError(
            f"{name} is to be of {info.file_size} bytes, but takes {info.compress_size} of the "
            f"file's {size}"
        )
    data = archive.read(info)
    if len(data) != info.file_size:
        raise ValueError(f"{name} is cut off")
    return data
