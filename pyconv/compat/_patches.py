"""Patches of images side by side."""

from typing import Any

import numpy as np

from pyconv._args import is_one_of
from pyconv.compat._operation import operation
from pyconv.compat._tensor import Tensor


def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
) -> Any:
    """Return the patches (N, OH, OW, KH * KW * C) of images (N, H, W, C), each laid out in a row.

    Args:
        images: the images, or one of them.
        size: (height, width) of a patch, or one number for both.
        strides: from patch to patch; None for ``size``.
        dilation_rate: from pixel to pixel within a patch.
        padding: 'valid' or 'same'.
        data_format: must be None or 'channels_last'.
    """
    if isinstance(images, Tensor):
        return operation(extract_patches, (images, size, strides, dilation_rate, padding), {})
    if not is_one_of(data_format, (None, "channels_last")):
        raise NotImplementedError(
            f"extract_patches: data_format must be 'channels_last', got {data_format!r:.60}"
        )
    (kh, kw), (dh, dw) = _pair(size), _pair(dilation_rate)
    sh, sw = (kh, kw) if strides is None else _pair(strides)
    height, width = images.shape[-3:-1]
    x, high, wide = images, (kh - 1) * dh + 1, (kw - 1) * dw + 1
    if padding.lower() == "same":
        rows = max((-(-height // sh) - 1) * sh + high - height, 0)
        columns = max((-(-width // sw) - 1) * sw + wide - width, 0)
        around = [(rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0)]
        x = np.pad(x, [(0, 0)] * (len(images.shape) - 3) + around)
        height, width = height + rows, width + columns
    elif padding.lower() != "valid":
        raise ValueError(f"extract_patches: padding must be 'valid' or 'same', got {padding!r:.60}")
    last, end = height - high + 1, width - wide + 1
    parts = [
        x[..., i * dh : i * dh + last : sh, j * dw : j * dw + end : sw, :]
        for i in range(kh)
        for j in range(kw)
    ]
    return np.concatenate(parts, axis=-1)


def extract_image_patches(
    images: Any, sizes: Any, strides: Any, rates: Any, padding: str, name: Any = None
) -> Any:
    """Return ``extract_patches`` with TensorFlow's arguments, each of four numbers."""
    return extract_patches(images, sizes[1:3], strides[1:3], rates[1:3], padding)


def _pair(value: Any) -> tuple[int, int]:
    if isinstance(value, (int, np.integer)):
        return int(value), int(value)
    first, second = value
    return int(first), int(second)
