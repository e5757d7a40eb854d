"""The ZeroPadding2D layer against torch."""

import numpy as np
import pytest
import torch
from layer_reference import batch, check_layer, images

from pyconv.layers import ZeroPadding2D

# padding, and (left, right, top, bottom) as torch has it
CASES = [
    (1, (1, 1, 1, 1)),
    ((1, 2), (2, 2, 1, 1)),
    (((1, 0), (0, 3)), (0, 3, 1, 0)),
    (0, (0, 0, 0, 0)),
]


@pytest.mark.parametrize(("padding", "sides"), CASES, ids=str)
def test_forward_and_gradient(padding, sides):
    function = images(lambda x: torch.nn.functional.pad(x, sides))
    check_layer(ZeroPadding2D(padding), batch(2, 4, 5, 3), function)


def test_the_border_is_zero_again_after_other_sizes():
    layer = ZeroPadding2D()
    for shape in ((2, 5, 5, 2), (1, 3, 7, 2), (2, 5, 5, 2)):
        y = layer(np.ones(shape))
        assert y.sum() == np.prod(shape)
        assert (y[:, 1:-1, 1:-1] == 1).all()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((None, 4, 5, 3), (None, 6, 9, 3)), ((2, None, 5, 3), (2, None, 9, 3))],
)
def test_shapes(shape, expected):
    assert ZeroPadding2D((1, 2)).compute_output_shape(shape) == expected


@pytest.mark.parametrize(
    ("padding", "error", "text"),
    [
        (-1, ValueError, "padding must be from 0"),
        ("same", ValueError, r"padding must be an integer, \(height, width\) or"),
        ((1, 2, 3), ValueError, "padding must be"),
        (((1, 2), (3, -4)), ValueError, r"padding\[1\]\[1\] must be from 0"),
        (1.0, TypeError, "padding must be an integer"),
    ],
)
def test_wrong_arguments(padding, error, text):
    with pytest.raises(error, match=f"ZeroPadding2D 'z': {text}"):
        ZeroPadding2D(padding, name="z")
