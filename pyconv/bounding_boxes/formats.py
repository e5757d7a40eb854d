"""Formats of boxes, and boxes as arrays."""

from typing import Any

import numpy as np

from pyconv import _targets
from pyconv._args import is_one_of, shown
from pyconv._types import Array

FORMATS = (
    "xyxy",
    "yxyx",
    "xywh",
    "center_xywh",
    "center_yxhw",
    "rel_xyxy",
    "rel_yxyx",
    "rel_xywh",
    "rel_center_xywh",
)
EPSILON = 1e-7


def convert_format(
    boxes: Any,
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: str = "float32",
) -> Any:
    """Return boxes in another format.

    Args:
        boxes: (..., 4), or a dict with ``boxes``, of which a copy is returned.
        source: their format: ``"xyxy"`` (left, top, right, bottom), ``"yxyx"``, ``"xywh"`` (left,
            top, width, height), ``"center_xywh"``, ``"center_yxhw"``, or one of ``"rel_xyxy"``,
            ``"rel_yxyx"``, ``"rel_xywh"`` and ``"rel_center_xywh"``.
        target: the format wanted.
        height: rows of the image; needed between relative and absolute formats.
        width: columns of the image.
        dtype: must be ``"float32"``.

    Raises:
        ValueError: a format is not known, a size is missing, or ``boxes`` has another shape.

    Example:
        >>> import pyconv
        >>> boxes = [[10.0, 20.0, 30.0, 60.0]]
        >>> pyconv.bounding_boxes.convert_format(boxes, "xyxy", "center_xywh").tolist()
        [[20.0, 40.0, 20.0, 40.0]]
    """
    owner = "convert_format"
    if isinstance(boxes, dict):
        inner = of_dict(owner, "boxes", boxes)
        return {**boxes, "boxes": convert_format(inner, source, target, height, width)}
    if not is_one_of(dtype, ("float32",)):
        raise ValueError(f"{owner}: dtype must be 'float32', got {dtype!r:.60}")
    given = boxes_arg(owner, boxes)
    source, target = format_arg(owner, "source", source), format_arg(owner, "target", target)
    if source.startswith("rel_") != target.startswith("rel_"):
        if height is None or width is None:
            raise ValueError(
                f"{owner}: convert_format() must receive `height` and `width` to go from "
                f"{source!r} to {target!r}, got height={height} and width={width}"
            )
        size = beside(owner, given, width=width, height=height)
        relative = source.startswith("rel_")
        corners = _corners(given, source)
        return _from_corners(corners * size if relative else corners / size, target)
    return given if source == target else _from_corners(_corners(given, source), target)


def format_arg(owner: str, name: str, value: Any) -> str:
    """Return the name of a format in small letters."""
    if not isinstance(value, str) or value.lower() not in FORMATS:
        raise ValueError(f"{owner}: {name} must be one of {FORMATS}, got {value!r:.60}")
    return value.lower()


def boxes_arg(owner: str, boxes: Any, name: str = "boxes") -> Array:
    """Return boxes (..., 4)."""
    array = np.asarray(_targets.numeric(owner, name, boxes), np.float32)
    if array.ndim < 1 or array.shape[-1] != 4:
        raise ValueError(f"{owner}: {name} must have shape (..., 4), got {array.shape}")
    return array


def of_dict(owner: str, name: str, given: Any) -> Any:
    """Return the boxes of a dict."""
    if not isinstance(given, dict) or "boxes" not in given:
        raise ValueError(f"{owner}: {name} must be a dict with a key 'boxes', got {shown(given)}")
    return given["boxes"]


def beside(owner: str, boxes: Array, **pair: Any) -> Array:
    """Return two numbers (or arrays, one a box) as left, top, right, bottom beside boxes."""
    (x, first), (y, second) = pair.items()
    parts = _targets.numeric(owner, x, first), _targets.numeric(owner, y, second)
    try:
        result = np.stack(np.broadcast_arrays(*parts, *parts), -1).astype(np.float32)
        np.broadcast_shapes(result.shape, boxes.shape)
    except ValueError:
        raise ValueError(
            f"{owner}: {x} and {y} must be numbers or arrays of one a box, for boxes of shape "
            f"{boxes.shape}, got shapes {parts[0].shape} and {parts[1].shape}"
        ) from None
    return result


def image_size(owner: str, image_shape: Any) -> tuple[Any, Any]:
    """Return (height, width) of an ``image_shape``, (None, None) where there is none."""
    if image_shape is None:
        return None, None
    sizes = _targets.numeric(owner, "image_shape", image_shape)
    if sizes.ndim != 1 or len(sizes) not in (2, 3):
        raise ValueError(
            f"{owner}: image_shape must be (height, width, channels), got {shown(image_shape)}"
        )
    return sizes[0], sizes[1]


def _corners(boxes: Array, source: str) -> Array:
    """Return left, top, right, bottom."""
    kind = source.removeprefix("rel_")
    if kind in ("yxyx", "center_yxhw"):
        boxes = boxes[..., [1, 0, 3, 2]]
    first, last = boxes[..., :2], boxes[..., 2:]
    if kind.startswith("center"):
        return np.concatenate([first - last / 2, first + last / 2], -1)
    return np.concatenate([first, first + last], -1) if kind == "xywh" else boxes


def _from_corners(boxes: Array, target: str) -> Array:
    kind = target.removeprefix("rel_")
    first, size = boxes[..., :2], boxes[..., 2:] - boxes[..., :2]
    if kind.startswith("center"):
        boxes = np.concatenate([first + size / 2, size], -1)
    elif kind == "xywh":
        boxes = np.concatenate([first, size], -1)
    return boxes[..., [1, 0, 3, 2]] if kind in ("yxyx", "center_yxhw") else boxes


def clip_to_image_size(
    bounding_boxes: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict[str, Any]:
    """Return boxes cut at the image's edges; labels of those that have no area are -1.

    Args:
        bounding_boxes: a dict of ``boxes`` and, where there are any, ``labels``.
        height: rows of the image; not needed in a relative format.
        width: columns of the image.
        bounding_box_format: ``"xyxy"`` or ``"rel_xyxy"``.

    Raises:
        ValueError: another format, or a size is missing.

    Example:
        >>> import pyconv
        >>> boxes = {"boxes": [[-5.0, 2.0, 4.0, 8.0], [9.0, 0.0, 12.0, 3.0]], "labels": [1, 2]}
        >>> clipped = pyconv.bounding_boxes.clip_to_image_size(boxes, height=8, width=8)
        >>> clipped["boxes"].tolist(), clipped["labels"].tolist()
        ([[0.0, 2.0, 4.0, 8.0], [8.0, 0.0, 8.0, 3.0]], [1, -1])
    """
    owner = "clip_to_image_size"
    if not is_one_of(bounding_box_format, ("xyxy", "rel_xyxy")):
        raise ValueError(
            f"{owner}: bounding_box_format must be 'xyxy' or 'rel_xyxy', got "
            f"{bounding_box_format!r:.60}; bring boxes there with convert_format"
        )
    if bounding_box_format == "rel_xyxy":
        height = width = 1.0
    elif height is None or width is None:
        raise ValueError(f"{owner}: `height` and `width` must be set if `format='xyxy'`.")
    boxes = boxes_arg(owner, of_dict(owner, "bounding_boxes", bounding_boxes))
    boxes = np.clip(boxes, np.float32(0), beside(owner, boxes, width=width, height=height))
    result = {**bounding_boxes, "boxes": boxes}
    if bounding_boxes.get("labels") is not None:
        labels = np.asarray(bounding_boxes["labels"])
        seen = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]) > 0
        one_hot = labels.ndim == seen.ndim + 1
        result["labels"] = np.where(seen[..., np.newaxis] if one_hot else seen, labels, -1)
    return result


def dense_boxes(owner: str, given: Any) -> dict[str, Any]:
    """Return a dict of ``boxes`` and ``labels`` as arrays: lists of several lengths are filled up.

    What is filled in has boxes of 0 and labels of -1.
    """
    if not isinstance(given, dict) or "boxes" not in given or "labels" not in given:
        raise ValueError(
            f"{owner}: Expected `bounding_boxes` to be a dict with keys 'boxes' and 'labels', got "
            f"{given!r:.80}"
        )
    boxes, labels = given["boxes"], given["labels"]
    uneven = isinstance(boxes, (list, tuple)) and len({np.shape(part) for part in boxes}) > 1
    if uneven:
        if not isinstance(labels, (list, tuple)) or len(labels) != len(boxes):
            raise ValueError(
                f"{owner}: bounding_boxes: where boxes are a list of uneven lengths, labels must "
                "be a list of as many"
            )
        most = max(len(part) for part in boxes)
        dense = np.zeros((len(boxes), most, 4), np.float32)
        names = np.full((len(boxes), most), -1, np.int64)
        for n, (part, label) in enumerate(zip(boxes, labels, strict=True)):
            dense[n, : len(part)] = np.reshape(part, (-1, 4))
            names[n, : len(part)] = label
        return {**given, "boxes": dense, "labels": names}
    corners, names = boxes_arg(owner, boxes), np.asarray(labels)
    if corners.ndim not in (2, 3):
        raise ValueError(
            f"{owner}: bounding_boxes: Expected boxes to have rank 2 or 3, (K, 4) or (N, K, 4), "
            f"got {corners.shape}"
        )
    return {**given, "boxes": corners, "labels": names}
