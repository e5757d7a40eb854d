"""What an ONNX file says, read without trust in it."""

import math
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

Constant = NDArray[Any]


def module() -> Any:
    """Return the package onnx; ImportError that says how to get it where it is missing."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            "pyconv.onnx needs the package onnx: pip install 'pyconv[onnx]'"
        ) from error
    return onnx


def read(path: str) -> Any:
    """Return the model that a file holds.

    Raises:
        OSError: it cannot be read.
        ValueError: it is cut off, or no ONNX model.
    """
    from google.protobuf.message import DecodeError

    model = module().ModelProto()
    with open(path, "rb") as file:
        data = file.read()
    try:
        model.ParseFromString(data)
    except (DecodeError, ValueError, RuntimeError):
        raise ValueError("it is cut off, damaged or no ONNX file") from None
    if not model.graph.node:
        raise ValueError("it is no ONNX model, or an empty one: it has no nodes")
    return model


def constants(model: Any, folder: str) -> dict[str, Constant]:
    """Return the arrays that a model holds, by name.

    Args:
        model: what ``read`` returned.
        folder: that of the model's file: of arrays in other files there.

    Raises:
        OSError: a file beside the model cannot be read.
        ValueError: an array is not what it says.
    """
    if model.graph.sparse_initializer:
        raise ValueError("it has sparse arrays, which are not read")
    return {tensor.name: array(tensor, folder) for tensor in model.graph.initializer}


def array(tensor: Any, folder: str = "") -> Constant:
    """Return the array that a TensorProto holds."""
    onnx = module()
    label, shape = f"the array {tensor.name!r}", tuple(tensor.dims)
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{label} has the unknown type {tensor.data_type}") from None
    if dtype.kind not in "biuf" and dtype.name != "bfloat16":
        raise ValueError(f"{label} must hold numbers, got {dtype.name}")
    if min(shape, default=1) < 0:
        raise ValueError(f"{label} has a negative size: {shape}")
    size = math.prod(shape)
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raw = _external(label, tensor, folder, size * dtype.itemsize)
        return np.frombuffer(raw, dtype.newbyteorder("<")).reshape(shape)
    if tensor.HasField("raw_data") and len(tensor.raw_data) != size * dtype.itemsize:
        raise ValueError(
            f"{label} must have {size * dtype.itemsize} bytes for {dtype.name} {shape}, got "
            f"{len(tensor.raw_data)}"
        )
    try:
        found: Constant = onnx.numpy_helper.to_array(tensor)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{label} does not hold {dtype.name} {shape}: {error}") from None
    return found


def _external(label: str, tensor: Any, folder: str, size: int) -> bytes:
    """Return the bytes of an array that lies in a file beside the model."""
    told = {entry.key: entry.value for entry in tensor.external_data}
    location = told.get("location", "")
    home = os.path.realpath(folder or ".")
    path = os.path.realpath(os.path.join(home, location))
    if not location or os.path.commonpath([home, path]) != home or path == home:
        raise ValueError(f"{label} must be in a file beside the model, got {location!r:.80}")
    try:
        offset, length = int(told.get("offset", 0)), int(told.get("length", size))
    except ValueError:
        raise ValueError(f"{label} has a place in {location!r:.80} that is no number") from None
    if length != size or offset < 0:
        raise ValueError(f"{label} must have {size} bytes, got {length} from {offset}")
    with open(path, "rb") as file:
        if offset + size > os.fstat(file.fileno()).st_size:
            raise ValueError(f"{label} lies beyond the end of {location!r:.80}")
        file.seek(offset)
        return file.read(size)
