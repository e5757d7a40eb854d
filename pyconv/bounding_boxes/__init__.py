"""Boxes around things in images, in Keras's formats: to convert, clip, move and compare them.

A box is four numbers on the last axis, in pixels or, in a format ``rel_...``, in shares of the
image's width and height. Functions take boxes (K, 4) or (N, K, 4).
"""

from pyconv.bounding_boxes.deltas import decode_deltas_to_boxes, encode_box_to_deltas
from pyconv.bounding_boxes.formats import FORMATS, clip_to_image_size, convert_format
from pyconv.bounding_boxes.moves import affine_transform, crop, pad
from pyconv.bounding_boxes.overlaps import compute_ciou, compute_iou

__all__ = [
    "FORMATS",
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "decode_deltas_to_boxes",
    "encode_box_to_deltas",
    "pad",
]
