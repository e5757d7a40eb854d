"""Checks of the arguments that filters share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import Pair, int_arg, pair_arg, shown

BORDERS = ("constant", "reflect", "reflect_101", "replicate", "valid", "wrap")
MAX_CELLS = 2**23  # of a window: sums of uint8 stay below 2**31
Image = NDArray[Any]


def image_arg(owner: str, value: Any) -> Image:
    """Return ``value``, (H, W) or (H, W, C) of numbers, as (H, W, C) of uint8 or float32."""
    array = numbers(owner, "image", value)
    if array.ndim not in (2, 3) or array.size == 0:
        raise ValueError(
            f"{owner}: image must be (H, W) or (H, W, C) with at least one pixel, got shape "
            f"{array.shape}"
        )
    array = plain(owner, "image", array, np.dtype(np.uint8 if array.dtype == np.uint8 else "f4"))
    return array[..., None] if array.ndim == 2 else array


def like(value: Any, result: Image) -> Image:
    """Return a result (H, W, C) without channels where the image ``value`` has none."""
    return result[..., 0] if np.ndim(value) == 2 else result


def kernel_arg(owner: str, value: Any) -> NDArray[np.float32]:
    """Return ``value``, numbers (KH, KW), as float32."""
    array = numbers(owner, "kernel", value)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(
            f"{owner}: kernel must be (KH, KW) with at least one weight, got shape {array.shape}"
        )
    return plain(owner, "kernel", array, np.dtype(np.float32))


def numbers(owner: str, name: str, value: Any) -> Image:
    """Return ``value``, an array or nested lists of real numbers, as an array."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        array = np.array(None)
    if array.dtype.kind not in "biuf":
        got = f"{array.dtype} array" if isinstance(value, np.ndarray) else shown(value)
        raise TypeError(f"{owner}: {name} must be an array of numbers, got {got:.80}")
    return array


def plain(owner: str, name: str, array: Image, dtype: np.dtype[Any]) -> Image:
    """Return an array as one of ``dtype`` that is C-contiguous; itself if it is so."""
    if array.dtype != dtype or not array.flags.c_contiguous:
        from pyconv.layers._memory import check_fits

        check_fits(owner, f"a copy of {name}", array.shape, dtype.itemsize)
        with np.errstate(over="ignore", invalid="ignore"):
            array = np.ascontiguousarray(array, dtype)
    return array


def border_arg(owner: str, value: Any, image: Image, ksize: Pair) -> str:
    """Return the name of a border, where windows of ``ksize`` fit into the image if they must."""
    if not isinstance(value, str):
        raise TypeError(f"{owner}: border must be a string, got {shown(value)}")
    if value not in BORDERS:
        raise ValueError(f"{owner}: border must be one of {', '.join(BORDERS)}, got {shown(value)}")
    h, w = image.shape[:2]
    if value == "valid" and (ksize[0] > h or ksize[1] > w):
        raise ValueError(
            f"{owner}: a window of {ksize} does not fit into an image of {(h, w)}; take another "
            "border or a smaller window"
        )
    return value


def dtype_arg(owner: str, value: Any, default: str) -> str:
    """Return the name of the type of a result; that of None is the default."""
    if value is None:
        return default
    try:
        name = str(np.dtype(value).name)
    except (TypeError, ValueError):
        name = ""
    if name not in ("uint8", "int16", "float32"):
        error = ValueError if name or isinstance(value, str) else TypeError
        raise error(f"{owner}: dtype must be 'uint8', 'int16' or 'float32', got {shown(value)}")
    return name


def anchor_arg(owner: str, value: Any, ksize: Pair) -> Pair:
    """Return the (row, column) of the window's cell that lies on the result; None is the middle."""
    if value is None:
        return ksize[0] // 2, ksize[1] // 2
    row, column = pair_arg(owner, "anchor", value, minimum=0)
    if row >= ksize[0] or column >= ksize[1]:
        raise ValueError(
            f"{owner}: anchor must be a cell of the {ksize} window, got {(row, column)}"
        )
    return row, column


def odd_arg(owner: str, name: str, value: Any, minimum: int = 1, maximum: int = 2**15) -> int:
    """Return ``value`` as an odd integer."""
    number = int_arg(owner, name, value, minimum, maximum)
    if number % 2 == 0:
        raise ValueError(f"{owner}: {name} must be odd, got {number}")
    return number
