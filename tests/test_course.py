"""The course's worked examples and its numbers, through the layers."""

import numpy as np
import pytest
from course import (
    CONV_P1,
    CONV_S2,
    CONV_VALID,
    I5,
    K3,
    POOL_A,
    POOL_B,
    RELU_FILTER,
    RELU_MAP,
    filtered,
)

import pyconv
from pyconv import filters, zoo
from pyconv.layers import (
    AveragePooling2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SeparableConv2D,
    ZeroPadding2D,
)


def pooled(layer, image):
    return layer(np.asarray(image)[None, :, :, None])[0, :, :, 0].tolist()


def test_worked_convolution():
    assert filtered(I5, K3).tolist() == CONV_VALID
    assert filtered(I5, K3, strides=2).tolist() == CONV_S2
    for padded in (filtered(I5, K3, padding=1), filtered(I5, K3, padding="same")):
        assert padded.tolist() == CONV_P1
    border = pyconv.Sequential([ZeroPadding2D(1), Conv2D(1, 3, use_bias=False)])
    border.build((None, 5, 5, 1))
    border.set_weights([np.array(K3)[:, :, None, None]])
    assert border(np.array(I5)[None, :, :, None])[0, :, :, 0].tolist() == CONV_P1


def test_relu_of_a_map():
    image = np.zeros((5, 5))
    image[[1, 2, 3, 4], [4, 3, 2, 1]] = 1
    assert filtered(image, RELU_FILTER, activation="relu").tolist() == RELU_MAP
    patch = np.zeros((3, 3))
    patch[0, 1:] = 1
    assert filtered(patch, RELU_FILTER, activation="relu").tolist() == [[0]]
    assert filtered(np.eye(3)[::-1], RELU_FILTER, activation="relu").tolist() == [[3]]


def test_pooling():
    assert pooled(MaxPooling2D(2), POOL_A) == [[6, 8], [3, 4]]
    assert pooled(MaxPooling2D(2), POOL_B) == [[9, 2], [6, 3]]
    assert pooled(AveragePooling2D(2), POOL_A) == [[3.25, 5.25], [2, 2]]
    assert pooled(AveragePooling2D(2), POOL_B) == [[3.75, 1.25], [3.75, 2]]
    assert pooled(GlobalAveragePooling2D(keepdims=True), POOL_B) == [[2.6875]]


def test_colours_and_several_filters():
    """A filter has a kernel for each channel, whose results are added; each filter gives a map."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (6, 6, 3))
    kernels = rng.integers(-3, 4, (3, 3, 3, 2))
    layer = Conv2D(2, 3)
    layer.build((None, 6, 6, 3))
    layer.set_weights([kernels, [10, -20]])
    y = layer(image[None])[0]
    assert y.shape == (4, 4, 2)
    for i, bias in enumerate((10, -20)):
        channels = [
            filters.correlate2d(image[..., c], kernels[..., c, i], border="valid") for c in range(3)
        ]
        assert np.array_equal(y[..., i], sum(channels) + bias)


def test_one_cell_is_a_dense_layer_at_each_pixel():
    rng = np.random.default_rng(0)
    x = rng.integers(-9, 10, (1, 7, 5, 64))
    weights = [rng.integers(-9, 10, (64, 32)), rng.integers(-9, 10, 32)]
    layer, dense = Conv2D(32, 1), Dense(32)
    layer.build((None, 7, 5, 64))
    dense.build((None, 64))
    layer.set_weights([weights[0][None, None], weights[1]])
    dense.set_weights(weights)
    assert np.array_equal(layer(x)[0], dense(x.reshape(-1, 64)).reshape(7, 5, 32))


@pytest.mark.parametrize(
    ("filters", "kernel", "shape", "expected", "params"),
    [
        (1, 5, (32, 32, 3), (28, 28, 1), 76),
        (6, 5, (32, 32, 3), (28, 28, 6), 456),
        (5, 5, (32, 32, 3), (28, 28, 5), 380),
        (32, 5, (32, 32, 3), (28, 28, 32), 2432),
        (2, 3, (6, 6, 3), (4, 4, 2), 56),
        (32, 1, (56, 56, 64), (56, 56, 32), 2080),
    ],
)
def test_shapes_and_parameters(filters, kernel, shape, expected, params):
    layer = Conv2D(filters, kernel)
    layer.build((None, *shape))
    assert layer.output_shape == (None, *expected)
    assert layer.count_params() == params
    dense = Dense(int(np.prod(expected)))
    assert dense.compute_output_shape((None, int(np.prod(shape)))) == (None, np.prod(expected))


@pytest.mark.parametrize(("size", "padding"), [(3, 1), (5, 2), (1, 0)])
@pytest.mark.parametrize("filters", [32, 64, 128, 512])
def test_settings_that_keep_the_size(size, padding, filters):
    layer = Conv2D(filters, size, padding=padding)
    assert layer.compute_output_shape((None, 13, 16, 3)) == (None, 13, 16, filters)


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        (Conv2D(6, 5), (5, 5)),
        (Conv2D(6, (3, 2), strides=2), (3, 2)),
        (Conv2D(6, 3, dilation_rate=2), (5, 5)),
        (DepthwiseConv2D(3), (3, 3)),
        (SeparableConv2D(4, 3, dilation_rate=3), (7, 7)),
        (MaxPooling2D(3, 2), (3, 3)),
        (AveragePooling2D((1, 4)), (1, 4)),
    ],
)
def test_receptive_fields(layer, field):
    """One number of the result changes with the cells of its field, and with no others."""
    assert layer.receptive_field == field
    x = np.random.default_rng(0).random((1, 9, 9, 2), np.float32) + 1
    before = np.asarray(layer(x))[0, 0, 0]
    seen = np.zeros((9, 9), bool)
    for i, j in np.ndindex(9, 9):
        changed = x.copy()
        changed[0, i, j] += 5
        seen[i, j] = not np.array_equal(np.asarray(layer(changed))[0, 0, 0], before)
    rows, columns = np.nonzero(seen)
    assert (rows.max() + 1, columns.max() + 1) == field
    assert seen[0, 0]


def test_pooling_sizes():
    assert MaxPooling2D(2, 2).compute_output_shape((None, 16, 16, 8)) == (None, 8, 8, 8)
    assert MaxPooling2D(3, 2).compute_output_shape((None, 13, 13, 8)) == (None, 6, 6, 8)


def test_a_dense_layer_in_place_of_the_convolution():
    layer = Dense(28 * 28 * 6)
    layer.build((None, 3072))
    assert layer.count_params() == 14_455_392


@pytest.mark.parametrize(
    ("make", "params", "flops"),
    [
        (
            zoo.deck_cnn,
            [208, 0, 2080, 0, 8256, 0, 0, 0, 512_500, 0, 5010],
            [393_216, 1_048_576, 1_048_576, 1_024_000, 10_000],
        ),
        (zoo.deck_mlp, [0, 3_073_000, 0, 512_512, 0, 5130], [6_144_000, 1_024_000, 10_240]),
    ],
)
def test_parameters_and_arithmetic_of_the_networks(make, params, flops):
    model = make()
    assert [layer.count_params() for layer in model.layers] == params
    assert model.count_params() == sum(params)
    assert [layer.flops(layer.input_shape) for layer in model.layers if layer.weights] == flops
    # Three passes over 45,000 images: TFLOP an epoch.
    expected = {528_054: 0.476, 3_590_642: 0.969}[sum(params)]
    assert 3 * 45_000 * sum(flops) / 1e12 == pytest.approx(expected, abs=5e-4)


def test_flatten_keeps_rows_columns_channels():
    x = np.arange(4 * 4 * 64).reshape(1, 4, 4, 64)
    assert Flatten()(x).tolist() == [list(range(1024))]
