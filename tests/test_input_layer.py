"""Input and InputLayer."""

import numpy as np
import pytest

from pyconv.layers import Input, InputLayer


def test_shapes():
    assert Input((32, 32, 3)).batch_shape == (None, 32, 32, 3)
    assert Input([None, 3], batch_size=4).batch_shape == (4, None, 3)
    assert Input(batch_shape=(None, 5)).batch_shape == (None, 5)
    assert Input(()).batch_shape == (None,)
    assert InputLayer(input_shape=(2, 3)).batch_shape == (None, 2, 3)
    assert InputLayer(input_dim=7).output_shape == (None, 7)
    assert Input((1,), name="images").name == "images"


def test_it_computes_nothing():
    layer, x = Input((3,)), np.ones((2, 3), np.float32)
    assert layer.forward(x, True) is x
    assert layer.backward(x, True) is x
    assert layer.backward(x, False) is None
    assert layer.count_params() == 0


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({}, ValueError, "give shape, the shape of one sample, or batch_shape"),
        ({"shape": (3,), "batch_shape": (None, 3)}, ValueError, "You cannot pass both"),
        ({"shape": 3}, TypeError, "shape must be a tuple such as"),
        ({"shape": (3, 0)}, ValueError, r"shape\[1\] must be a positive"),
        ({"shape": (3, -1)}, ValueError, r"shape\[1\] must be a positive"),
        ({"shape": ("a",)}, TypeError, r"shape\[0\] must be an integer"),
        ({"shape": (3,), "batch_size": 0}, ValueError, "batch_size must be a positive"),
        ({"batch_shape": ()}, ValueError, "batch_shape must have a batch axis"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    with pytest.raises(error, match=f"InputLayer 'i': {text}"):
        Input(**arguments, name="i")


def test_wrong_type_of_numbers():
    with pytest.raises(ValueError, match="InputLayer: dtype must be None or 'float32'"):
        Input((3,), dtype="int32")
