"""The Flatten layer."""

import numpy as np
import pytest
from layer_reference import batch, check_layer

from pyconv.layers import Flatten


@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (2, 7), (2, 1, 1)])
def test_forward_and_gradient(shape):
    check_layer(Flatten(), batch(*shape), lambda x: x.reshape(len(x), -1))


def test_order_is_rows_columns_channels():
    x = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    y = Flatten()(x)
    assert y[1, (2 * 4 + 3) * 5 + 4] == x[1, 2, 3, 4]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((None, 4, 4, 64), (None, 1024)),
        ((None, 32, 32, 3), (None, 3072)),
        ((8, None, 3), (8, None)),
        ((None,), (None, 1)),
    ],
)
def test_shapes(shape, expected):
    assert Flatten().compute_output_shape(shape) == expected


def test_numbers_and_empty_batches():
    assert Flatten()(np.arange(3)).tolist() == [[0], [1], [2]]
    assert Flatten()(np.ones((0, 4, 4))).shape == (0, 16)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="Flatten 'f': data_format must be None, 'channels_last'"):
        Flatten("middle", name="f")
