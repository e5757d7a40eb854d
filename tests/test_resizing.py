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


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(2, 3), (7, 4)])
def test_smoothed_against_torch(mode, size):
    x = RNG.standard_normal((2, 9, 11, 3)).astype("float32")
    layer = layers.Resizing(*size, interpolation=mode, antialias=True)
    y = layer(x)
    image = torch.tensor(x.transpose(0, 3, 1, 2), dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.interpolate(image, size=size, mode=mode, antialias=True)
    dy = RNG.standard_normal(y.shape).astype("float32")
    expected.backward(torch.tensor(dy.transpose(0, 3, 1, 2), dtype=torch.float64))
    np.testing.assert_allclose(y, expected.detach().numpy().transpose(0, 2, 3, 1), atol=1e-5)
    dx = layer.backward(dy, True)
    np.testing.assert_allclose(dx, image.grad.numpy().transpose(0, 2, 3, 1), atol=1e-5)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", [(3, 12), (9, 2)])
def test_interpolation_against_jax(mode, antialias, size):
    resize = pytest.importorskip("jax").image.resize
    x = RNG.standard_normal((2, 5, 8, 3)).astype("float32")
    expected = resize(x, (2, *size, 3), mode.replace("bicubic", "cubic"), antialias)
    y = layers.Resizing(*size, interpolation=mode, antialias=antialias)(x)
    np.testing.assert_allclose(y, expected, atol=2e-5)


def test_cubic_interpolation_of_a_parabola_is_exact():
    x = np.square(np.arange(9.0)).reshape(1, 9, 1, 1)
    y = layers.UpSampling2D((3, 1), interpolation="bicubic")(x).ravel()
    places = (np.arange(27) + 0.5) / 3 - 0.5
    np.testing.assert_allclose(y[6:-6], np.square(places)[6:-6], rtol=1e-5)


@pytest.mark.parametrize("shape", [(2, 4, 8, 3), (2, 9, 4, 3)])
def test_a_border_keeps_the_proportions(shape):
    x = RNG.standard_normal(shape).astype("float32")
    layer = layers.Resizing(6, 6, pad_to_aspect_ratio=True, fill_value=7)
    more = [((0, 0), (2, 2), (0, 0), (0, 0)), ((0, 0), (0, 0), (2, 2), (0, 0))][shape[1] > 4]
    around = np.pad(x, more, constant_values=7)
    plain = layers.Resizing(6, 6)
    np.testing.assert_array_equal(layer(x), plain(around))
    dy = RNG.standard_normal((2, 6, 6, 3)).astype("float32")
    inside = tuple(slice(a, n - b) for n, (a, b) in zip(around.shape, more, strict=True))
    np.testing.assert_array_equal(layer.backward(dy, True), plain.backward(dy, True)[inside])


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
        (lambda: layers.Resizing(0, 2), ValueError, "height must be a positive"),
        (lambda: layers.CenterCrop(2, 2.5), TypeError, "width must be an integer"),
        (lambda: layers.Resizing(2, 2, "area"), ValueError, "interpolation must be 'nearest', "),
        (lambda: layers.Resizing(2, 2, fill_mode="wrap"), ValueError, "must be 'constant'"),
        (
            lambda: layers.Resizing(2, 2, "nearest", True, True),
            ValueError,
            "Only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`",
        ),
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
