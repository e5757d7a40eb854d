"""Layers that change pixels: against Pillow, OpenCV and torch where they have the change."""

import colorsys
import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

import pyconv
import pyconv.compat.keras as keras
from pyconv import layers

BYTES = np.random.default_rng(5).integers(0, 256, (2, 12, 10, 3))
SMALL = BYTES.astype(np.float32) / 255


def by_pillow(function, *arguments):
    """Return what Pillow makes of each image."""
    done = [function(Image.fromarray(x.astype(np.uint8)), *arguments) for x in BYTES]
    return np.stack([np.asarray(x) for x in done]).astype(np.float32)


@pytest.mark.parametrize(
    ("layer", "function", "arguments"),
    [
        (layers.RandomInvert((1, 1)), ImageOps.invert, ()),
        (layers.RandomPosterization((3, 3)), ImageOps.posterize, (3,)),
        (layers.RandomPosterization((2, 2)), ImageOps.posterize, (2,)),
        (layers.Solarization(), ImageOps.solarize, (0,)),
    ],
    ids=["invert", "posterize-3", "posterize-2", "solarize"],
)
def test_the_same_bytes_as_pillow(layer, function, arguments):
    assert np.array_equal(layer(BYTES, training=True), by_pillow(function, *arguments))
    assert np.array_equal(layer(BYTES), BYTES)


def test_solarization_above_a_threshold_as_pillow():
    x = np.arange(256).reshape(1, 16, 16, 1)
    layer = layers.Solarization(threshold_factor=(128 / 255, 128 / 255), seed=2)
    y = layer(x, training=True).ravel()
    # Keras draws the threshold from the least share to the most share of 255.
    threshold = np.flatnonzero(y != np.arange(256))[0]
    assert 1 <= threshold <= 128
    image = Image.fromarray(x[0, :, :, 0].astype(np.uint8))
    assert np.array_equal(y, np.asarray(ImageOps.solarize(image, threshold)).ravel())


def test_autocontrast_against_pillow():
    narrow = (BYTES * 0.5 + 40).astype(np.int64)
    expected = [ImageOps.autocontrast(Image.fromarray(x.astype(np.uint8))) for x in narrow]
    for training in (False, True):
        y = layers.AutoContrast()(narrow, training=training)
        np.testing.assert_allclose(y, np.stack([np.asarray(x) for x in expected]), atol=1.01)
    constant = np.full((1, 4, 4, 1), 7.0)
    assert np.array_equal(layers.AutoContrast()(constant), constant)


def test_equalization_against_opencv():
    grey = BYTES[..., :1].astype(np.uint8)
    expected = np.stack([cv2.equalizeHist(x[..., 0]) for x in grey])[..., None]
    y = layers.Equalization()(grey, training=True)
    np.testing.assert_allclose(y, expected, atol=1.01)  # they round in other places
    first = layers.Equalization(data_format="channels_first")
    assert np.array_equal(first(grey.transpose(0, 3, 1, 2), training=True), y.transpose(0, 3, 1, 2))


def test_grey_against_torch():
    weights = torch.tensor([0.2989, 0.587, 0.114], dtype=torch.float64)
    grey = (torch.tensor(BYTES, dtype=torch.float64) @ weights).numpy()[..., None]
    y = layers.RandomGrayscale(1.0)(BYTES, training=True)
    np.testing.assert_allclose(y, np.broadcast_to(grey, y.shape), rtol=1e-6)
    half = layers.RandomColorDegeneration((0.25, 0.25))(BYTES, training=True)
    np.testing.assert_allclose(half, BYTES + 0.25 * (grey - BYTES), rtol=1e-5, atol=1e-4)
    many = layers.RandomGrayscale(0.25, seed=1)(np.repeat(SMALL[:1], 1000, 0), training=True)
    share = (many[..., 0] == many[..., 1]).all(axis=(1, 2)).mean()
    assert 0.2 < share < 0.3


def test_hue_against_colorsys():
    y = layers.RandomHue((0.5, 0.5), (0, 1), seed=1)(SMALL, training=True)
    for image, changed in zip(SMALL, y, strict=True):
        hues = [
            [colorsys.hsv_to_rgb((h + turn) % 1, s, v) for h, s, v in by_pixel(image)]
            for turn in (0.25, -0.25)
        ]
        assert min(np.abs(changed.reshape(-1, 3) - hue).max() for hue in hues) < 1e-5


@pytest.mark.parametrize("factor", [0.2, 0.5, 0.75])
def test_saturation_against_colorsys(factor):
    y = layers.RandomSaturation((factor, factor), (0, 1))(SMALL, training=True)
    more = factor / (1 - factor)
    for image, changed in zip(SMALL, y, strict=True):
        expected = [colorsys.hsv_to_rgb(h, min(s * more, 1), v) for h, s, v in by_pixel(image)]
        np.testing.assert_allclose(changed.reshape(-1, 3), expected, atol=1e-5)


def by_pixel(image):
    return [colorsys.rgb_to_hsv(*map(float, pixel)) for pixel in image.reshape(-1, 3)]


def test_sharpness_against_torch():
    x = torch.tensor(BYTES.transpose(0, 3, 1, 2), dtype=torch.float64)
    kernel = torch.full((3, 1, 3, 3), 1 / 13, dtype=torch.float64)
    kernel[:, :, 1, 1] = 5 / 13
    smooth = torch.nn.functional.conv2d(x, kernel, padding=1, groups=3)
    for factor in (0, 0.25, 1):
        expected = (x + (1 - 2 * factor) * (smooth - x)).clamp(0, 255).numpy()
        y = layers.RandomSharpness((factor, factor))(BYTES, training=True)
        np.testing.assert_allclose(y, expected.transpose(0, 2, 3, 1), atol=1e-3)


KINDS = [
    layers.RandomGrayscale(0.5, seed=3),
    layers.RandomColorDegeneration(0.75, seed=3),
    layers.RandomSaturation(0.75, seed=3),
    layers.RandomHue(0.75, seed=3),
    layers.RandomInvert(0.75, seed=3),
    layers.RandomPosterization((1, 8), seed=3),
    layers.RandomSharpness(0.75, seed=3),
    layers.Solarization(0.25, 0.5, seed=3),
]


@pytest.mark.parametrize("layer", KINDS, ids=lambda layer: type(layer).__name__)
def test_seeds_configurations_and_states(layer):
    x = np.repeat(BYTES[:1], 8, axis=0)
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert again.get_config() == layer.get_config()
    state = again.get_state()
    first, second = (again(x, training=True) for _ in range(2))
    assert len({y.tobytes() for y in first}) > 1, "each image is changed on its own"
    assert not np.array_equal(first, second)
    again.set_state(state)
    assert np.array_equal(again(x, training=True), first)
    assert np.array_equal(again(x), x)
    assert again(x[0], training=True).shape == x[0].shape


def test_a_network_trains_behind_them():
    model = pyconv.Sequential(
        [pyconv.Input((12, 10, 3)), layers.RandomFlip(), layers.RandomHue(0.1)]
    )
    model.add(layers.Flatten())
    model.add(layers.Dense(2, activation="softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(BYTES / 255, [0, 1], epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_keras_changes_images_if_it_is_not_told_about_training():
    layer = keras.layers.RandomInvert((1, 1))
    assert np.array_equal(layer(BYTES), 255 - BYTES)
    assert np.array_equal(layer(BYTES, training=False), BYTES)
    assert np.array_equal(layer(BYTES, False), BYTES)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: layers.RandomHue(1.5), "The `factor` argument should be a number"),
        (lambda: layers.RandomHue([0.1]), "The `factor` argument should be a number"),
        (lambda: layers.RandomHue(0.1, value_range=[1]), "should be a list of two numbers"),
        (lambda: layers.RandomGrayscale(-0.1), "factor must be from 0 to 1"),
        (lambda: layers.Solarization("x"), "addition_factor must be a number"),
        (lambda: layers.Equalization(bins=1), "bins must be from 2"),
    ],
)
def test_wrong_arguments(make, text):
    with pytest.raises(ValueError, match=text):
        make()


@pytest.mark.parametrize("kind", ["RandomGrayscale", "RandomHue", "RandomSaturation"])
def test_colours_need_three_channels(kind):
    layer = getattr(layers, kind)(0.5)
    with pytest.raises(
        ValueError, match="Input images must have 3 channels, red, green and blue, got"
    ):
        layer(np.ones((2, 4, 4, 1)), training=True)


@pytest.mark.parametrize(
    "make", [layers.Equalization, layers.ContrastLimitedAdaptiveHistogramEqualization]
)
def test_pixels_that_are_no_numbers_stay_so(make):
    x = np.random.default_rng(0).random((2, 8, 8, 3)).astype(np.float32) * 255
    x[0, 1, 2, 0], x[1, 3, 3, 1], x[1, 4, 4, 1] = np.nan, np.inf, -1e30
    y = make()(x, training=True)
    assert np.argwhere(np.isnan(y)).tolist() == [[0, 1, 2, 0]]
    assert np.isfinite(y[1]).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.RandomColorJitter(saturation_factor=0.5),
        layers.RandAugment,
        layers.AugMix,
    ],
)
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_changes_of_colours_say_before_training_that_they_need_three_channels(make, channels):
    with pytest.raises(ValueError, match=r"_random_.*Input images must have 3 channels"):
        pyconv.Sequential([pyconv.Input((8, 8, channels)), make()])


def test_no_image_at_all_is_made_of_another_size():
    for layer in layers.Resizing(3, 5), layers.CenterCrop(9, 9), layers.UpSampling2D(2):
        wanted = layer.compute_output_shape((0, 4, 6, 3))
        assert layer(np.zeros((0, 4, 6, 3))).shape == wanted


@pytest.mark.parametrize("shape", [(3, 1, 5, 3), (3, 5, 1, 3), (3, 1, 1, 3)])
def test_perspective_of_images_of_one_row_or_column(shape):
    x = np.random.default_rng(0).random(shape).astype(np.float32)
    y = layers.RandomPerspective(1.0, scale=1.0, seed=1)(x, training=True)
    assert y.shape == shape
    assert np.isfinite(y).all()
