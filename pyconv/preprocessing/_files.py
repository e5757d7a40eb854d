"""Images in files, by Pillow."""

import os
from typing import Any

import numpy as np

from pyconv._args import bool_arg, is_one_of, pair_arg, path_arg
from pyconv._convert import float32_array
from pyconv._types import Array

_MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("images in files need Pillow: pip install 'pyconv[image]'") from error
    return Image


def color_mode_arg(owner: str, value: Any) -> str:
    """Return 'rgb', 'rgba' or 'grayscale'."""
    if not is_one_of(value, _MODES):
        raise ValueError(f"{owner}: color_mode must be one of {[*_MODES]}, got {value!r:.60}")
    return str(value)


def channels_last(owner: str, data_format: Any) -> None:
    """Raise a ValueError unless ``data_format`` is None or 'channels_last'."""
    if not is_one_of(data_format, (None, "channels_last")):
        raise ValueError(
            f"{owner}: data_format must be None or 'channels_last', got {data_format!r:.60}; turn "
            "images into (N, H, W, C) with x.transpose(0, 2, 3, 1)"
        )


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    grayscale: bool = False,
) -> Any:
    """Return the image of a file as a Pillow image.

    Args:
        path: the file.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        target_size: (height, width) to resize it to, or None.
        interpolation: ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.
        grayscale: the same as ``color_mode="grayscale"``.

    Raises:
        ImportError: there is no Pillow.
        OSError: the file cannot be read, or holds no image.
        ValueError: an argument has a wrong value.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> from pyconv.preprocessing.image import array_to_img, load_img
        >>> path = os.path.join(tempfile.mkdtemp(), "black.png")
        >>> array_to_img(np.zeros((4, 6, 3)), scale=False).save(path)
        >>> load_img(path, target_size=(2, 3)).size
        (3, 2)
    """
    owner = "load_img"
    mode = color_mode_arg(
        owner, "grayscale" if bool_arg(owner, "grayscale", grayscale) else color_mode
    )
    image_module = _pillow()
    if not is_one_of(interpolation, ("nearest", "bilinear", "bicubic")):
        raise ValueError(
            f"{owner}: interpolation must be 'nearest', 'bilinear' or 'bicubic', got "
            f"{interpolation!r:.60}"
        )
    with image_module.open(path_arg(owner, "path", path)) as file:
        image = file.convert(_MODES[mode])
    if target_size is not None:
        height, width = pair_arg(owner, "target_size", target_size)
        if image.size != (width, height):
            image = image.resize(
                (width, height), getattr(image_module.Resampling, interpolation.upper())
            )
    return image


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> Array:
    """Return a Pillow image as an array (H, W, C), float32, of values 0 to 255.

    Args:
        img: the image, or an array (H, W) or (H, W, C).
        data_format: None or ``"channels_last"``.
        dtype: None or ``"float32"``.

    Raises:
        ValueError: it is none of these.

    Example:
        >>> import numpy as np
        >>> from pyconv.preprocessing.image import img_to_array
        >>> img_to_array(np.zeros((4, 6))).shape
        (4, 6, 1)
    """
    from pyconv.layers._arguments import check_dtype

    channels_last("img_to_array", data_format)
    check_dtype("img_to_array", dtype)
    array = float32_array("img_to_array", "img", img)
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3:
        raise ValueError(f"img_to_array: img must be (H, W) or (H, W, C), got {array.shape}")
    return array


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True) -> Any:
    """Return an array (H, W, C) as a Pillow image.

    Args:
        x: the array, of 1, 3 or 4 channels.
        data_format: None or ``"channels_last"``.
        scale: whether the least value becomes 0 and the largest 255.

    Raises:
        ImportError: there is no Pillow.
        ValueError: ``x`` is no image.

    Example:
        >>> import numpy as np
        >>> from pyconv.preprocessing.image import array_to_img
        >>> array_to_img(np.zeros((4, 6, 1))).size
        (6, 4)
    """
    array = img_to_array(x, data_format)
    if scale:
        array = array - array.min()
        most = array.max()
        array = array * (255 / most if most else 0.0)
    channels = array.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(f"array_to_img: x must have 1, 3 or 4 channels, got {array.shape}")
    pixels = np.clip(array, 0, 255).astype(np.uint8)
    return _pillow().fromarray(pixels[:, :, 0] if channels == 1 else pixels)


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array (H, W, C) to an image file.

    Args:
        path: the file; its folder must exist.
        x: the array, of 1, 3 or 4 channels; a JPEG leaves the fourth out.
        data_format: None or ``"channels_last"``.
        file_format: such as ``"png"``; None to tell by the file's ending.
        scale: whether the least value becomes 0 and the largest 255.
        **kwargs: passed on to Pillow's ``save``.

    Raises:
        ImportError: there is no Pillow.
        OSError: the file cannot be written.
        ValueError: ``x`` is no image, or the format is not known.

    Example:
        >>> import os, tempfile, numpy as np
        >>> from pyconv.preprocessing.image import load_img, save_img
        >>> file = os.path.join(tempfile.mkdtemp(), "grey.png")
        >>> save_img(file, np.zeros((4, 6, 1)))
        >>> load_img(file).size
        (6, 4)
    """
    file = path_arg("save_img", "path", path)
    image = array_to_img(x, data_format, scale)
    ending = file_format or os.path.splitext(file)[1].lstrip(".")
    if ending.lower() in ("jpg", "jpeg"):
        file_format = "jpeg"
        image = image.convert("RGB") if image.mode == "RGBA" else image
    image.save(file, format=file_format, **kwargs)
