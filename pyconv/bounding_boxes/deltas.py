"""Boxes as differences from anchors."""

from typing import Any

import numpy as np

from pyconv import _targets
from pyconv._args import is_one_of
from pyconv._types import Array
from pyconv.bounding_boxes.formats import EPSILON, boxes_arg, convert_format, image_size

_NO_VARIANCE = np.ones(4, np.float32)


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Array:
    """Return how boxes lie to anchors: shifts in sizes of the anchor, and logs of size ratios.

    Args:
        anchors: (K, 4).
        boxes: (K, 4) or (N, K, 4).
        anchor_format: format of the anchors, see ``convert_format``.
        box_format: format of the boxes.
        encoding_format: ``"center_yxhw"`` or ``"center_xywh"``: the order of the numbers.
        variance: four numbers that the result is divided by, or None.
        image_shape: (height, width, channels), for relative formats.

    Raises:
        ValueError: an argument has another shape, or a format is not known.

    Example:
        >>> import pyconv
        >>> deltas = pyconv.bounding_boxes.encode_box_to_deltas(
        ...     [[0.0, 0.0, 4.0, 4.0]], [[1.0, 0.0, 5.0, 4.0]], "xyxy", "xyxy"
        ... )
        >>> deltas.tolist()
        [[0.0, 0.25, 0.0, 0.0]]
    """
    owner = "encode_box_to_deltas"
    share = _variance(owner, encoding_format, variance)
    height, width = image_size(owner, image_shape)
    base = boxes_arg(owner, anchors, "anchors")
    base = convert_format(base, anchor_format, encoding_format, height, width)
    given = convert_format(boxes_arg(owner, boxes), box_format, encoding_format, height, width)
    sizes = np.maximum(base[..., 2:], np.float32(EPSILON))
    shifts = (given[..., :2] - base[..., :2]) / sizes
    ratios = np.log(np.maximum(given[..., 2:], np.float32(EPSILON)) / sizes)
    return np.asarray(np.concatenate([shifts, ratios], -1) / share, np.float32)


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """Return the boxes that ``encode_box_to_deltas`` was given.

    Args:
        anchors: (K, 4), or a dict of such.
        boxes_delta: (K, 4) or (N, K, 4), or a dict of such with the same keys.
        anchor_format: format of the anchors, see ``convert_format``.
        box_format: the format wanted.
        encoded_format: ``"center_yxhw"`` or ``"center_xywh"``: the order of the numbers.
        variance: four numbers that deltas are multiplied by, or None.
        image_shape: (height, width, channels), for relative formats.

    Raises:
        ValueError: an argument has another shape, or a format is not known.

    Example:
        >>> import pyconv
        >>> boxes = pyconv.bounding_boxes.decode_deltas_to_boxes(
        ...     [[0.0, 0.0, 4.0, 4.0]], [[0.0, 0.25, 0.0, 0.0]], "xyxy", "xyxy"
        ... )
        >>> boxes.tolist()
        [[1.0, 0.0, 5.0, 4.0]]
    """
    owner = "decode_deltas_to_boxes"
    share = _variance(owner, encoded_format, variance)
    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        if set(anchors) != set(boxes_delta):
            raise ValueError(
                f"{owner}: boxes_delta must have the keys of anchors, {list(anchors)}, got "
                f"{list(boxes_delta)}"
            )
        rest = anchor_format, box_format, encoded_format, variance, image_shape
        return {
            key: decode_deltas_to_boxes(anchor, boxes_delta[key], *rest)
            for key, anchor in anchors.items()
        }
    height, width = image_size(owner, image_shape)
    base = boxes_arg(owner, anchors, "anchors")
    base = convert_format(base, anchor_format, encoded_format, height, width)
    deltas = boxes_arg(owner, boxes_delta, "boxes_delta") * share
    middles = deltas[..., :2] * base[..., 2:] + base[..., :2]
    boxes = np.concatenate([middles, np.exp(deltas[..., 2:]) * base[..., 2:]], -1)
    return convert_format(boxes, encoded_format, box_format, height, width)


def _variance(owner: str, encoding: Any, variance: Any) -> Array:
    if not is_one_of(encoding, ("center_xywh", "center_yxhw")):
        raise ValueError(
            f"{owner}: the encoding must be 'center_xywh' or 'center_yxhw', got {encoding!r:.60}"
        )
    share = _NO_VARIANCE
    if variance is not None:
        share = np.asarray(_targets.numeric(owner, "variance", variance), np.float32)
    if share.shape != (4,):
        raise ValueError(f"{owner}: `variance` must be length 4, got {variance!r:.60}")
    return share
