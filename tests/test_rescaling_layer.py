"""The Rescaling layer against torch in float64."""

import numpy as np
import pytest
from layer_reference import batch, check_layer

import pyconv.compat.keras as keras
from pyconv.layers import Rescaling


@pytest.mark.parametrize(
    ("scale", "offset"), [(1 / 255, 0.0), (2, -1), ([1, 2, 3], 0.5), (1, [0.1, 0.2, 0.3])]
)
def test_forward_and_gradient(scale, offset):
    layer = Rescaling(scale, offset)
    a, b = (torch_like(v) for v in (scale, offset))
    check_layer(layer, batch(2, 4, 5, 3), lambda x: x * x.new_tensor(a) + x.new_tensor(b))


def torch_like(value):
    # What the layer holds: float32.
    return np.asarray(value, np.float32).tolist()


def test_the_course():
    y = Rescaling(1 / 255)(np.array([[0, 51, 255]], np.uint8))
    assert y.dtype == np.float32
    assert y[0].tolist() == pytest.approx([0, 0.2, 1], abs=1e-7)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((float("nan"),), ValueError, "scale must be a finite number or one for each channel"),
        ((1, float("inf")), ValueError, "offset must be a finite number"),
        (([[1, 2]],), ValueError, "scale must be a finite number or one for each channel"),
        (("1",), TypeError, "scale must be an array of real numbers"),
        ((1, None), TypeError, "offset must be an array of real numbers"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    with pytest.raises(error, match=f"Rescaling 'r': {text}"):
        Rescaling(*arguments, name="r")


def test_channels_that_come_first():
    x, dy = np.random.default_rng(1).random((2, 2, 3, 4, 5), np.float32)
    keras.backend.set_image_data_format("channels_first")
    try:
        layer = keras.layers.Rescaling([1.0, 2.0, 3.0], offset=[0.5, 0.25, 0.0])
    finally:
        keras.backend.set_image_data_format("channels_last")
    expected = x * np.array([1, 2, 3]).reshape(3, 1, 1) + np.array([0.5, 0.25, 0]).reshape(3, 1, 1)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-6)
    gradient = layer.backward(dy.copy(), True)
    np.testing.assert_allclose(gradient, dy * np.array([1, 2, 3]).reshape(3, 1, 1), rtol=1e-6)
    with pytest.raises(ValueError, match="scale has 3 numbers"):
        keras.layers.Rescaling([1.0, 2.0, 3.0])(x)


def test_wrong_channels():
    with pytest.raises(ValueError, match="Rescaling 'r': scale has 3 numbers, so the input must"):
        Rescaling([1, 2, 3], name="r").build((None, 4, 4, 1))


def test_the_caller_may_change_its_array():
    scale = np.array([1, 2], np.float32)
    layer = Rescaling(scale)
    scale[:] = 0
    assert layer(np.ones((1, 2))).tolist() == [[1, 2]]
