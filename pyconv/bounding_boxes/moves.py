"""Boxes of images that were cut, padded or warped."""

from typing import Any

import numpy as np

from pyconv import _targets
from pyconv._args import float_arg, is_one_of
from pyconv._types import Array
from pyconv.bounding_boxes.formats import beside, boxes_arg


def crop(
    boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Array:
    """Return boxes as they are in a window of the image.

    Args:
        boxes: (..., 4), left, top, right, bottom in pixels.
        top: the window's first row.
        left: its first column.
        height: its rows.
        width: its columns.
        bounding_box_format: must be ``"xyxy"``.

    Raises:
        ValueError: another format, or ``boxes`` has another shape.

    Example:
        >>> import pyconv
        >>> pyconv.bounding_boxes.crop([[10.0, 20.0, 50.0, 60.0]], 10, 20, 40, 30).tolist()
        [[0.0, 10.0, 30.0, 40.0]]
    """
    _only_corners("crop", bounding_box_format)
    given = boxes_arg("crop", boxes)
    moved = given - beside("crop", given, left=left, top=top)
    size = beside("crop", given, width=width, height=height)
    return np.asarray(np.clip(moved, np.float32(0), size), np.float32)


def pad(
    boxes: Any,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Array:
    """Return boxes as they are where rows and columns were put around the image.

    Args:
        boxes: (..., 4), left, top, right, bottom in pixels.
        top: rows above.
        left: columns to the left.
        height: has no effect.
        width: has no effect.
        bounding_box_format: must be ``"xyxy"``.

    Raises:
        ValueError: another format, or ``boxes`` has another shape.

    Example:
        >>> import pyconv
        >>> pyconv.bounding_boxes.pad([[1.0, 2.0, 3.0, 4.0]], top=10, left=20).tolist()
        [[21.0, 12.0, 23.0, 14.0]]
    """
    _only_corners("pad", bounding_box_format)
    given = boxes_arg("pad", boxes)
    return given + beside("pad", given, left=left, top=top)


def _only_corners(owner: str, value: Any) -> None:
    if not is_one_of(value, ("xyxy",)):
        raise ValueError(
            f"{owner}: bounding_box_format must be 'xyxy', got {value!r:.60}; bring boxes there "
            "with convert_format"
        )


def through_matrices(boxes: Array, matrices: Any) -> Array:
    """Return the boxes around boxes (N, K, 4) of images that were warped.

    Args:
        boxes: left, top, right, bottom in pixels.
        matrices: (N, 6) or (6,): the row and the column of the image that a row and a column of
            the result come from.
    """
    m = np.asarray(matrices, np.float64).reshape(-1, 2, 3)
    # From (row, column) of the result to that of the image, and back.
    back = np.linalg.inv(m[:, :, :2])
    columns, rows = boxes[..., [0, 2, 2, 0]], boxes[..., [1, 1, 3, 3]]
    places = np.stack([rows, columns], -1) - m[:, np.newaxis, np.newaxis, :, 2]
    moved = np.einsum("nab,nkpb->nkpa", back, places)[..., ::-1]
    return np.concatenate([moved.min(axis=2), moved.max(axis=2)], -1).astype(np.float32)


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: int,
    width: int,
    center_x: float | None = None,
    center_y: float | None = None,
    bounding_box_format: str = "xyxy",
) -> Array:
    """Return the boxes around what boxes are where images were turned, sheared, scaled and moved.

    Args:
        boxes: (N, K, 4), left, top, right, bottom in pixels.
        angle: degrees (N,).
        translate_x: shares of the width (N,).
        translate_y: shares of the height (N,).
        scale: factors (N,).
        shear_x: degrees (N,).
        shear_y: degrees (N,).
        height: rows of the images.
        width: columns of the images.
        center_x: the middle of the turn as a share of the width, 0.5 by default.
        center_y: the same of the height.
        bounding_box_format: must be ``"xyxy"``.

    Raises:
        ValueError: another format, or ``boxes`` has another shape.

    Example:
        >>> import numpy as np, pyconv
        >>> zero, one = np.zeros(1), np.ones(1)
        >>> boxes = pyconv.bounding_boxes.affine_transform(
        ...     [[[0.0, 0.0, 4.0, 2.0]]], 90 * one, zero, zero, one, zero, zero, height=9, width=9
        ... )
        >>> boxes.round(4).tolist()
        [[[0.0, 4.0, 2.0, 8.0]]]
    """
    owner = "affine_transform"
    _only_corners(owner, bounding_box_format)
    given = boxes_arg(owner, boxes)
    if given.ndim != 3:
        raise ValueError(f"{owner}: boxes must be (N, K, 4), got {given.shape}")
    of_images = {
        "angle": angle,
        "shear_x": shear_x,
        "shear_y": shear_y,
        "translate_x": translate_x,
        "translate_y": translate_y,
        "scale": scale,
    }
    angle, shear_x, shear_y, translate_x, translate_y, scale = (
        _of_images(owner, name, value, len(given)) for name, value in of_images.items()
    )
    turn, slant_x, slant_y = (-np.deg2rad(degrees) for degrees in (angle, shear_x, shear_y))
    columns, rows = float_arg(owner, "width", width) - 1, float_arg(owner, "height", height) - 1
    center_x = 0.5 if center_x is None else float_arg(owner, "center_x", center_x, -np.inf, np.inf)
    center_y = 0.5 if center_y is None else float_arg(owner, "center_y", center_y, -np.inf, np.inf)
    a = np.cos(turn - slant_y) / np.cos(slant_y)
    c = -np.sin(turn - slant_y) / np.cos(slant_y)
    b = a * np.tan(slant_x) + np.sin(turn)
    d = np.cos(turn) - c * np.tan(slant_x)
    # The matrix of x and y, around the middle.
    m = np.stack([d, -b, -c, a], -1).reshape(-1, 2, 2) * np.reshape(scale, (-1, 1, 1))
    middle = np.array([center_x * columns, center_y * rows])
    moves = np.stack([translate_x, translate_y], -1) * [columns, rows]
    places = (
        np.stack([given[..., [0, 2, 2, 0]], given[..., [1, 1, 3, 3]]], -1)
        - middle
        + moves[:, np.newaxis, np.newaxis]
    )
    moved = np.einsum("nab,nkpb->nkpa", m, places) + middle
    return np.concatenate([moved.min(axis=2), moved.max(axis=2)], -1).astype(np.float32)


def _of_images(owner: str, name: str, value: Any, count: int) -> Any:
    """Return numbers (N,), one an image; one number stands for all."""
    numbers = _targets.numeric(owner, name, value).astype(np.float64)
    if numbers.shape not in ((), (1,), (count,)):
        raise ValueError(
            f"{owner}: {name} must be a number or one for each of {count} images, got shape "
            f"{numbers.shape}"
        )
    return np.broadcast_to(numbers, (count,))
