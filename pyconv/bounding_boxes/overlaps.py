"""How much boxes overlap."""

import math
from typing import Any

import numpy as np

from pyconv._args import bool_arg, float_arg
from pyconv._types import Array
from pyconv.bounding_boxes.formats import (
    EPSILON,
    boxes_arg,
    convert_format,
    format_arg,
    image_size,
)


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Array:
    """Return the area that each two boxes share over the area that they cover.

    Args:
        boxes1: (M, 4) or (N, M, 4).
        boxes2: (K, 4) or (N, K, 4).
        bounding_box_format: see ``convert_format``.
        use_masking: whether pairs with a box of numbers below 0 are ``mask_val``.
        mask_val: what they are.
        image_shape: (height, width, channels), for a relative format.

    Returns:
        (M, K), or (N, M, K).

    Raises:
        ValueError: boxes have another shape, the format is not known, or a size is missing.

    Example:
        >>> import pyconv
        >>> one, two = [[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 2.0], [5.0, 5.0, 6.0, 6.0]]
        >>> pyconv.bounding_boxes.compute_iou(one, two, "xyxy").round(3).tolist()
        [[0.3330000042915344, 0.0]]
    """
    owner = "compute_iou"
    first = _corner_pair(owner, "boxes1", boxes1, bounding_box_format, image_shape)
    second = _corner_pair(owner, "boxes2", boxes2, bounding_box_format, image_shape)
    a, b = first[..., :, np.newaxis, :], second[..., np.newaxis, :, :]
    shared = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0)
    both = shared.prod(-1)
    areas = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    result = both / (areas - both + np.float32(EPSILON))
    if bool_arg(owner, "use_masking", use_masking):
        masked = np.float32(float_arg(owner, "mask_val", mask_val, -np.inf, np.inf))
        result = np.where((a.max(-1) < 0) | (b.max(-1) < 0), masked, result)
    return np.asarray(result, np.float32)


def _corner_pair(owner: str, name: str, boxes: Any, source: str, image_shape: Any) -> Array:
    given = boxes_arg(owner, boxes, name)
    if given.ndim not in (2, 3):
        raise ValueError(
            f"{owner}: compute_iou() expects {name} to be batched, or to be unbatched: (K, 4) or "
            f"(N, K, 4), got {given.shape}"
        )
    height, width = _size(owner, source, image_shape)
    return np.asarray(convert_format(given, source, "xyxy", height, width))


def _size(owner: str, source: Any, image_shape: Any) -> tuple[Any, Any]:
    """Return (height, width), which a relative format needs."""
    source = format_arg(owner, "bounding_box_format", source)
    if source.startswith("rel_") and image_shape is None:
        raise ValueError(
            f"{owner}: the `image_shape` argument must be provided for {source!r}, got None"
        )
    return image_size(owner, image_shape)


def compute_ciou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None
) -> Array:
    """Return the complete intersection over union of boxes, pair by pair (Zheng et al., 2020).

    Of it are taken the distance of the middles and the difference of the proportions.

    Args:
        boxes1: (..., 4).
        boxes2: (..., 4).
        bounding_box_format: see ``convert_format``; a relative one needs ``image_shape``.
        image_shape: (height, width, channels), for a relative format.

    Returns:
        (...,).

    Raises:
        ValueError: boxes have another shape, the format is not known, or a size is missing.

    Example:
        >>> import pyconv
        >>> one, two = [[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 2.0]]
        >>> pyconv.bounding_boxes.compute_ciou(one, two, "xyxy").round(3).tolist()
        [0.25600001215934753]
    """
    owner = "compute_ciou"
    height, width = _size(owner, bounding_box_format, image_shape)
    a, b = (
        np.asarray(
            convert_format(
                boxes_arg(owner, boxes, name), bounding_box_format, "xyxy", height, width
            ),
            np.float64,
        )
        for name, boxes in (("boxes1", boxes1), ("boxes2", boxes2))
    )
    size_a, size_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    shared = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0)
    both = shared.prod(-1)
    iou = both / (size_a.prod(-1) + size_b.prod(-1) - both + EPSILON)
    around = np.maximum(a[..., 2:], b[..., 2:]) - np.minimum(a[..., :2], b[..., :2])
    apart = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    angles = (np.arctan(s[..., 0] / (s[..., 1] + EPSILON)) for s in (size_b, size_a))
    shape = 4 / math.pi**2 * (next(angles) - next(angles)) ** 2
    distance = (apart**2).sum(-1) / ((around**2).sum(-1) + EPSILON)
    result = iou - distance - shape * shape / (shape - iou + 1 + EPSILON)
    return np.asarray(result, np.float32)
