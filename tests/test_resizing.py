"""Layers that bring images to one size: against PyTorch, and by what they cut."""

import numpy as np
import pytest
import torch

import pyconv
from pyconv import layers
from pyconv.compat.keras import layers as keras_layers

RNG = np.random.default_rng(3)


@pytest.mark.parametrize(("size", "mode"), [((7, 3), "bilinear"), ((2, 12), "nearest-exact")])
def test_resizing_and_its_gradient_against_torch(size, mode):
    x = RNG.standard_normal((2, 5, 6, 3)).astype("float32")
    layer = layers.Resizing(*size, interpolation=mode.removesuffix("-exact"))
    y = layer(x)
    image = torch.tensor(x.transpose(0, 3, 1, 2), dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.interpolate(image, size=size, mode=mode)
    dy = RNG.standard_normal(y.shape).astype("float32")
    expected.backward(torch.tensor(dy.transpose(0, 3, 1, 2), dtype=torch.float64))
    np.testing.assert_allclose(y, expected.detach().numpy().transpose(0, 2, 3, 1), atol=1e-5)
    dx = layer.backward(dy, True)
    np.testing.assert_allclose(dx, image.grad.numpy().transpose(0, 2, 3, 1), atol=1e-5)


@pytest.mark.parametrize("first", [False, True])
def test_center_crop(first):
    x = RNG.standard_normal((2, 9, 11, 3)).astype("float32")
    middle = x[:, 2:7, 2:9]
    if first:
        x, middle = (a.transpose(0, 3, 1, 2) for a in (x, middle))
    layer = layers.CenterCrop(5, 7, data_format="channels_first" if first else None)
    np.testing.assert_array_equal(layer(x), middle)
    np.testing.assert_array_equal(layer(x[0]), middle[0])
    assert layers.CenterCrop(5, 7).compute_output_shape((None, None, None, 3)) == (None, 5, 7, 3)


def test_gradient_of_a_crop():
    layer = layers.CenterCrop(5, 7)
    dy = np.ones_like(layer(np.zeros((2, 9, 11, 3))))
    expected = np.zeros((2, 9, 11, 3))
    expected[:, 2:7, 2:9] = 1
    np.testing.assert_array_equal(layer.backward(dy, True), expected)


def test_smaller_images_are_cut_to_the_proportions_and_resized():
    x = RNG.standard_normal((1, 4, 6, 2)).astype("float32")
    expected = layers.Resizing(8, 8)(x[:, :, 1:5])
    np.testing.assert_allclose(layers.CenterCrop(8, 8)(x), expected)
    np.testing.assert_allclose(layers.Resizing(8, 8, crop_to_aspect_ratio=True)(x), expected)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: layers.Resizing(0, 2), ValueError, "height must be from 1"),
        (lambda: layers.CenterCrop(2, 2.5), TypeError, "width must be an integer"),
        (lambda: layers.Resizing(2, 2, "lanczos3"), ValueError, "'bilinear' or 'nearest'"),
        (lambda: layers.Resizing(2, 2, antialias=True), ValueError, "antialias is not supported"),
        (lambda: layers.Resizing(2, 2, sharp=1), ValueError, "Unrecognized keyword"),
        (lambda: layers.Resizing(2, 2)(np.ones((4, 4))), ValueError, "Resizing"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()


FLAGS = np.array([True, False])


@pytest.mark.parametrize(
    "call",
    [
        lambda: layers.Dense(2, use_bias=FLAGS),
        lambda: layers.Flatten(trainable=FLAGS),
        lambda: layers.Dropout(0.5)(np.ones((2, 3)), training=FLAGS),
        lambda: pyconv.Sequential([layers.Dense(2)])(np.ones((2, 3)), training=FLAGS),
        lambda: layers.BatchNormalization(center="False"),
        lambda: pyconv.optimizers.SGD(nesterov=FLAGS),
        lambda: pyconv.optimizers.Adam(amsgrad=[1]),
        lambda: pyconv.losses.BinaryCrossentropy(from_logits=FLAGS),
        lambda: pyconv.callbacks.TerminateOnNaN(raise_error=FLAGS),
    ],
)
def test_arrays_in_place_of_a_bool(call):
    with pytest.raises(TypeError, match=r"\w+.*: \w+ must be True or False, got"):
        call()


def test_numpys_own_bools_and_none():
    assert layers.Dense(2, use_bias=np.bool_(False)).use_bias is False
    assert layers.Dense(2, use_bias=np.array(True)).use_bias is True
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(layers.Dropout(0.5)(x, training=None), x)


def test_keras_names_of_a_calls_arguments():
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(keras_layers.Flatten()(inputs=x, mask=None), x)
    with pytest.raises(NotImplementedError, match="mask must be None"):
        keras_layers.Flatten()(x, mask=x > 0)


def test_keras_config_of_resizing():
    given = {"height": 4, "width": 6, "interpolation": "nearest", "crop_to_aspect_ratio": False}
    unused = {"pad_to_aspect_ratio": False, "fill_mode": "constant", "fill_value": 0.0}
    layer = layers.Resizing.from_config({**given, **unused})
    assert layer.compute_output_shape((2, 8, 8, 3)) == (2, 4, 6, 3)
