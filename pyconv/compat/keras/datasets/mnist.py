"""``keras.datasets.mnist``: handwritten digits, from Keras's file ``mnist.npz``."""

import io
import math
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.datasets._files import read_file

__all__ = ["load_data"]

_NAMES = ("x_train", "y_train", "x_test", "y_test")
_MOST = 60_000 * 28 * 28
_MOST_OF_FILE = 1 << 26

Part = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def load_data(path: Any = "mnist.npz") -> tuple[Part, Part]:
    """Load MNIST where Keras's file of it is on this machine; it is not downloaded.

    Args:
        path: the file, or its name in the folder that ``PYCONV_DATA`` names, or in
            ``~/.keras/datasets``, where Keras keeps it.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images uint8 (60000, 28, 28) and
        (10000, 28, 28), labels uint8 (60000,) and (10000,) of the digits 0 to 9.

    Raises:
        FileNotFoundError: it is in none of these places.
        ValueError: it is no such file, or a damaged one.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> from pyconv.compat.keras.datasets import mnist
        >>> file = os.path.join(tempfile.mkdtemp(), "mnist.npz")
        >>> x, y = np.zeros((2, 28, 28), "uint8"), np.zeros(2, "uint8")
        >>> np.savez(file, x_train=x, y_train=y, x_test=x, y_test=y)
        >>> (x_train, y_train), _ = mnist.load_data(file)
        >>> x_train.shape, y_train.shape
        ((2, 28, 28), (2,))
    """
    file = _found(os.fspath(path))
    try:
        with zipfile.ZipFile(io.BytesIO(read_file(file, _MOST_OF_FILE))) as archive:
            arrays = [_array(archive, name) for name in _NAMES]
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, NotImplementedError) as error:
        raise ValueError(f"mnist.load_data: {file} is not Keras's mnist.npz: {error}") from None
    x_train, y_train, x_test, y_test = arrays
    for images, labels in ((x_train, y_train), (x_test, y_test)):
        if images.shape != (len(labels), 28, 28) or labels.shape != (len(images),):
            raise ValueError(
                f"mnist.load_data: {file}: images must be (N, 28, 28) and labels (N,), got "
                f"{images.shape} and {labels.shape}"
            )
    return (x_train, y_train), (x_test, y_test)


def _found(path: str) -> Path:
    folders = [os.environ.get("PYCONV_DATA"), os.path.join("~", ".keras", "datasets")]
    places = [Path(os.path.expanduser(path))]
    places += [Path(os.path.expanduser(folder), path) for folder in folders if folder]
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(
        f"mnist.load_data: there is no {', no '.join(map(str, places))}; put Keras's mnist.npz "
        "into one of these places. fashion_mnist has images of the same size, and is downloaded"
    )


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[np.uint8]:
    """Return an array of the archive; what its header declares is checked against its bytes."""
    with archive.open(f"{name}.npy") as member:
        data = member.read(_MOST + 1024)
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"{name} is of version {version} of the npy format, expected (1, 0)")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    rest = data[stream.tell() :]
    if dtype != np.uint8 or fortran or math.prod(shape) != len(rest):
        raise ValueError(f"{name} is {dtype} {shape} in {len(rest)} bytes, expected as many uint8")
    array: NDArray[np.uint8] = np.frombuffer(rest, np.uint8).reshape(shape).copy()
    return array
