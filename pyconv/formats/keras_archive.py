"""Keras 3's ``.keras`` files: a zip of ``config.json``, ``metadata.json`` and the weights."""

import io
import json
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any

from pyconv.formats import hdf5_reader, hdf5_writer, keras_config_writer, keras_hdf5
from pyconv.formats.stored import Stored, layer_states

if TYPE_CHECKING:
    from pyconv.model import Sequential

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_STATE = "pyconv_state"
# A member may be so many times as large as what it takes in the file, and this beside.
_RATIO, _BESIDE = 20, 2**20


def write(file: IO[bytes], model: "Sequential", include_optimizer: bool) -> None:
    """Write a model to an empty file."""
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
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in (
            (_METADATA, json.dumps(metadata).encode()),
            (_CONFIG, json.dumps(config).encode()),
            (_WEIGHTS, weights.getbuffer()),
        ):
            # With no date: the same model gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name), data)


def read(file: IO[bytes]) -> Stored:
    """Return what a file holds.

    Raises:
        ValueError: it is damaged, or not such a file.
    """
    size = file.seek(0, 2)
    try:
        with zipfile.ZipFile(file) as archive:
            config = json.loads(_member(archive, _CONFIG, size))
            metadata = json.loads(_member(archive, _METADATA, size))
            weights = _member(archive, _WEIGHTS, size)
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
    if not isinstance(config, dict) or not isinstance(metadata, dict):
        raise ValueError("its configuration must be a dict")
    stored = keras_hdf5.stored(hdf5_reader.read(io.BytesIO(weights)))
    stored.config, stored.compiled = config, config.get("compile_config")
    stored.states = metadata.get(_STATE)
    return stored


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
