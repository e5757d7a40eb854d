"""``tf.io`` and ``tf.strings``, as far as images in files need them."""

import glob
import io
import os
import shutil
from types import SimpleNamespace
from typing import Any

import numpy as np

from pyconv.compat._eager import eager
from pyconv.preprocessing._files import _pillow

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def _text(x: Any) -> str:
    """Return a name, of a string or an array of one."""
    value = x.numpy() if hasattr(x, "numpy") else x
    return value.decode() if isinstance(value, bytes) else str(os.fspath(value))


def _bytes(x: Any) -> bytes:
    value = np.asarray(x)[()] if isinstance(x, np.ndarray) else x
    return value.encode() if isinstance(value, str) else bytes(value)


def read_file(filename: Any, name: Any = None) -> Any:
    """Return what is in a file, as an array of no axes that holds bytes."""
    with open(_text(filename), "rb") as file:
        return _held(file.read())


def _held(data: bytes) -> Any:
    held = np.empty((), object)  # numpy's own type for bytes drops zeros at the end
    held[()] = data
    return eager(held)


def write_file(filename: Any, contents: Any, name: Any = None) -> None:
    """Write bytes to a file, and make its folder."""
    path = _text(filename)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(_bytes(contents))


def decode_image(
    contents: Any, channels: int | None = 0, dtype: Any = np.uint8, **kwargs: Any
) -> Any:
    """Return the image that the bytes of a file are, (H, W, C) of 0 to 255.

    Args:
        contents: the bytes.
        channels: 1, 3 or 4; 0 for those of the file.
        dtype: uint8, or a type of floats for an image of 0 to 1.
        **kwargs: have no effect.

    Raises:
        ValueError: it is none of these, or the bytes are no image.
    """
    if channels not in (None, 0, *_MODES):
        raise ValueError(f"decode_image: channels must be 0, 1, 3 or 4, got {channels!r:.60}")
    try:
        image = _pillow().open(io.BytesIO(_bytes(contents)))
        if channels:
            image = image.convert(_MODES[channels])
        elif image.mode not in _MODES.values():
            image = image.convert("RGB")
        pixels = np.asarray(image)
    except (OSError, SyntaxError) as error:
        raise ValueError(f"decode_image: the bytes are no image: {error}") from None
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    wanted = np.dtype(dtype)
    return eager(pixels.astype(wanted) / 255 if wanted.kind == "f" else pixels.astype(wanted))


def _encoder(kind: str) -> Any:
    def encode(image: Any, *args: Any, quality: int = 95, name: Any = None, **kwargs: Any) -> Any:
        file, pixels = io.BytesIO(), np.asarray(image)
        one = pixels[:, :, 0] if pixels.shape[-1] == 1 else pixels
        options = {"quality": quality} if kind == "JPEG" else {}
        _pillow().fromarray(one.astype(np.uint8)).save(file, kind, **options)
        return _held(file.getvalue())

    encode.__doc__ = f"Return an image (H, W, C) of 0 to 255 as the bytes of a {kind} file."
    return encode


def _split(input: Any, sep: Any = None, maxsplit: int = -1, name: Any = None) -> Any:
    return eager(np.array(_text(input).split(None if sep in (None, "") else _text(sep), maxsplit)))


def _join(inputs: Any, separator: str = "", name: Any = None) -> Any:
    return eager(np.array(separator.join(map(_text, inputs))))


def _of_text(change: Any) -> Any:
    return lambda input, *args, **kwargs: eager(np.array(change(_text(input), *args)))


def _opened(name: Any, mode: str = "r") -> Any:
    return open(_text(name), mode)


GFILE = SimpleNamespace(
    GFile=_opened,
    exists=lambda path: os.path.exists(_text(path)),
    glob=lambda pattern: sorted(glob.glob(_text(pattern))),
    isdir=lambda path: os.path.isdir(_text(path)),
    listdir=lambda path: sorted(os.listdir(_text(path))),
    makedirs=lambda path: os.makedirs(_text(path), exist_ok=True),
    mkdir=lambda path: os.mkdir(_text(path)),
    remove=lambda path: os.remove(_text(path)),
    rmtree=lambda path: shutil.rmtree(_text(path)),
)
DECODERS = {f"decode_{kind}": decode_image for kind in ("image", "jpeg", "png", "bmp", "gif")}
ENCODERS = {"encode_jpeg": _encoder("JPEG"), "encode_png": _encoder("PNG")}
IO = SimpleNamespace(
    read_file=read_file, write_file=write_file, gfile=GFILE, **DECODERS, **ENCODERS
)
STRINGS = SimpleNamespace(
    split=_split,
    join=_join,
    length=_of_text(len),
    lower=_of_text(str.lower),
    strip=_of_text(str.strip),
    upper=_of_text(str.upper),
)
