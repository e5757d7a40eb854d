"""Boxes: formats, moves, overlaps and deltas, against Keras's numbers and by hand."""

import numpy as np
import pytest
import torch

from pyconv import bounding_boxes as boxes_of

B = np.array([[[1, 2, 5, 8], [3, 3, 9, 11]]], np.float32)
SAME = {
    "xyxy": [2, 4, 8, 6],
    "yxyx": [4, 2, 6, 8],
    "xywh": [2, 4, 6, 2],
    "center_xywh": [5, 5, 6, 2],
    "center_yxhw": [5, 5, 2, 6],
    "rel_xyxy": [0.2, 0.2, 0.8, 0.3],
    "rel_yxyx": [0.2, 0.2, 0.3, 0.8],
    "rel_xywh": [0.2, 0.2, 0.6, 0.1],
    "rel_center_xywh": [0.5, 0.25, 0.6, 0.1],
}


@pytest.mark.parametrize("source", SAME)
@pytest.mark.parametrize("target", SAME)
def test_formats(source, target):
    assert set(SAME) == set(boxes_of.FORMATS)
    got = boxes_of.convert_format([SAME[source]], source, target.upper(), height=20, width=10)
    np.testing.assert_allclose(got, [SAME[target]], atol=1e-6)
    if source.startswith("rel_") == target.startswith("rel_"):
        np.testing.assert_array_equal(
            got, boxes_of.convert_format({"boxes": [SAME[source]]}, source, target)["boxes"]
        )


def test_affine_transform_is_that_of_keras():
    moved = boxes_of.affine_transform(B, [30], [0.1], [-0.2], [1.25], [10], [-5], 12, 10)
    expected = [[-3.2401, -1.3663, 6.4351, 7.6796], [-0.015, -3.2173, 13.6915, 9.3237]]
    np.testing.assert_allclose(moved[0], expected, atol=1e-4)


def test_overlaps():
    # By Keras 3.15.
    iou = boxes_of.compute_iou(B, B[:, :1] + 1, "xyxy")
    np.testing.assert_allclose(iou[0, :, 0], [0.4545, 0.3333], atol=1e-4)
    ciou = boxes_of.compute_ciou(B, B + 1, "xywh")
    np.testing.assert_allclose(ciou[0], [0.394, 0.56], atol=1e-3)
    rng = np.random.default_rng(0)
    some = np.sort(9 * rng.random((2, 6, 2, 2)), axis=2).reshape(2, 6, 4).astype(np.float32)
    for batch in range(2):
        a, b = torch.tensor(some[batch, :, None]), torch.tensor(some[batch, None])
        both = torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])
        both = both.clamp(min=0).prod(-1)
        areas = [(t[..., 2:] - t[..., :2]).prod(-1) for t in (a, b)]
        expected = both / (areas[0] + areas[1] - both)
        np.testing.assert_allclose(
            boxes_of.compute_iou(some, some[0], "xyxy")[0]
            if batch == 0
            else boxes_of.compute_iou(some, some, "xyxy")[1],
            expected,
            atol=1e-5,
        )
    masked = boxes_of.compute_iou([[-1, -1, -1, -1]], B[0], "xyxy", use_masking=True, mask_val=-2)
    assert masked.tolist() == [[-2, -2]]


def test_deltas_there_and_back():
    rng = np.random.default_rng(1)
    anchors, boxes = (np.sort(rng.random((5, 2, 2)) * 9, axis=1).reshape(5, 4) for _ in range(2))
    variance = [0.1, 0.1, 0.2, 0.2]
    for order in ("center_yxhw", "center_xywh"):
        options = {"variance": variance, "image_shape": (10, 10, 3)}
        deltas = boxes_of.encode_box_to_deltas(anchors, boxes, "xyxy", "xyxy", order, **options)
        middle = (boxes[:, 0] + boxes[:, 2] - anchors[:, 0] - anchors[:, 2]) / 2
        shift = middle / (anchors[:, 2] - anchors[:, 0]) / 0.1
        np.testing.assert_allclose(
            deltas[:, int(order == "center_yxhw")], shift, rtol=1e-4, atol=1e-4
        )
        back = boxes_of.decode_deltas_to_boxes(
            {"a": anchors}, {"a": deltas}, "xyxy", "rel_xyxy", order, **options
        )
        np.testing.assert_allclose(back["a"], boxes / 10, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: boxes_of.convert_format(B[..., :3], "xyxy", "xywh"), "boxes must have shape"),
        (lambda: boxes_of.convert_format(B, "xyx", "xywh"), "source must be one of"),
        (lambda: boxes_of.convert_format(B, "xyxy", "rel"), "target must be one of"),
        (lambda: boxes_of.convert_format(B, "xyxy", "rel_xyxy"), "must receive `height` and"),
        (lambda: boxes_of.convert_format(B, "xyxy", "xywh", dtype="int32"), "dtype must be"),
        (lambda: boxes_of.clip_to_image_size({"boxes": B}), "`height` and `width` must be set"),
        (
            lambda: boxes_of.clip_to_image_size({"boxes": B}, 1, 1, "xywh"),
            "must be 'xyxy' or 'rel_xyxy'",
        ),
        (lambda: boxes_of.crop(B, 0, 0, 1, 1, "yxyx"), "bring boxes there with convert_format"),
        (lambda: boxes_of.compute_iou(B[np.newaxis], B, "xyxy"), "expects boxes1 to be batched"),
        (lambda: boxes_of.compute_iou(B, B, "rel_xyxy"), "`image_shape` argument must be"),
        (lambda: boxes_of.compute_ciou(B, B, "rel_xyxy"), "`image_shape` argument must be"),
        (
            lambda: boxes_of.encode_box_to_deltas(B, B, "xyxy", "xyxy", variance=[1]),
            "`variance` must be length 4",
        ),
        (
            lambda: boxes_of.decode_deltas_to_boxes(B, B, "xyxy", "xyxy", "xywh"),
            "the encoding must be",
        ),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
