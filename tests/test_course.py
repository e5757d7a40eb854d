"""The course's worked examples, through the layers and the filters."""

import numpy as np
import pytest

import pyconv
from pyconv import filters
from pyconv.layers import (
    AveragePooling2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ZeroPadding2D,
)

# The image of the slides on smoothing.
F = np.zeros((10, 10))
F[2:7, 3:8] = 90
F[5, 4] = 0
F[8, 2] = 90

BOX3_VALID = [
    [0, 10, 20, 30, 30, 30, 20, 10],
    [0, 20, 40, 60, 60, 60, 40, 20],
    [0, 30, 60, 90, 90, 90, 60, 30],
    [0, 30, 50, 80, 80, 90, 60, 30],
    [0, 30, 50, 80, 80, 90, 60, 30],
    [0, 20, 30, 50, 50, 60, 40, 20],
    [10, 20, 30, 30, 30, 30, 20, 10],
    [10, 10, 10, 0, 0, 0, 0, 0],
]
BOX5_VALID = [
    [21.6, 32.4, 43.2, 54, 43.2, 32.4],
    [25.2, 39.6, 54, 68.4, 54, 43.2],
    [32.4, 50.4, 68.4, 86.4, 68.4, 54],
    [25.2, 39.6, 54, 68.4, 54, 43.2],
    [21.6, 32.4, 43.2, 50.4, 39.6, 32.4],
    [14.4, 21.6, 28.8, 32.4, 25.2, 21.6],
]
# Row 2 of the valid result of a filter on F.
ROW2 = {
    "edge1": ([[1, 0, -1], [0, 0, 0], [-1, 0, 1]], [0] * 8),
    "edge2": ([[0, 1, 0], [1, -4, 1], [0, 1, 0]], [0, 90, -90, 0, 0, 0, -90, 90]),
    "edge3": ([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], [0, -270, 270, 0, 0, 0, 270, -270]),
    "sharpen": ([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], [0, -90, 180, 90, 90, 90, 180, -90]),
    "gauss3": (
        np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16,
        [0, 22.5, 67.5, 90, 90, 90, 67.5, 22.5],
    ),
    "gauss100": (
        np.array([[8, 12, 8], [12, 20, 12], [8, 12, 8]]) / 100,
        [0, 25.2, 64.8, 90, 90, 90, 64.8, 25.2],
    ),
    "identity": ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], [0, 0, 90, 90, 90, 90, 90, 0]),
    "box": (np.ones((3, 3)) / 9, BOX3_VALID[2]),
}
I5 = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
K3 = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
CONV_VALID = [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
CONV_S2 = [[4, 4], [2, 4]]
CONV_P1 = [
    [2, 2, 3, 1, 1],
    [1, 4, 3, 4, 1],
    [1, 2, 4, 3, 3],
    [1, 2, 3, 4, 1],
    [0, 2, 2, 1, 1],
]
POOL_A = [[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]
POOL_B = [[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]]


def filtered(image, kernel, **options):
    """The result of a Conv2D layer that was given the filter as its weights."""
    kernel = np.asarray(kernel)
    layer = Conv2D(1, kernel.shape, use_bias=False, **options)
    image = np.asarray(image)
    layer.build((None, *image.shape, 1))
    layer.set_weights([kernel[:, :, None, None]])
    return layer(image[None, :, :, None])[0, :, :, 0]


def pooled(layer, image):
    return layer(np.asarray(image)[None, :, :, None])[0, :, :, 0].tolist()


def test_box_filters():
    assert filtered(F, np.ones((3, 3)) / 9) == pytest.approx(np.array(BOX3_VALID), abs=1e-5)
    assert filtered(F, np.ones((5, 5)) / 25) == pytest.approx(np.array(BOX5_VALID), abs=1e-4)
    # Whole numbers, and their mean afterwards: exact.
    assert (filtered(F, np.ones((3, 3))) / 9).tolist() == BOX3_VALID
    assert filtered(F, np.ones((3, 3)) / 9, padding="same")[1:-1, 1:-1] == pytest.approx(
        np.array(BOX3_VALID), abs=1e-5
    )


@pytest.mark.parametrize("name", ROW2)
def test_filters(name):
    kernel, row = ROW2[name]
    assert filtered(F, kernel)[2] == pytest.approx(np.array(row, float), abs=1e-4)
    assert np.sum(kernel) == pytest.approx(0 if "edge" in name else 1)


def test_means_by_a_filter():
    for mean in (filters.box, filters.blur, filters.mean):
        assert mean(F, 3, border="valid").tolist() == BOX3_VALID
        assert mean(F.astype(np.uint8), 3, border="valid").tolist() == BOX3_VALID
        assert mean(F, 3)[1:-1, 1:-1].tolist() == BOX3_VALID
        assert mean(F, 5, border="valid") == pytest.approx(np.array(BOX5_VALID), abs=1e-5)


@pytest.mark.parametrize("name", ROW2)
def test_filters_by_their_names(name):
    kernel, row = ROW2[name]
    assert filters.KERNELS[name] == pytest.approx(np.array(kernel, float))
    got = filters.correlate2d(F, filters.KERNELS[name], border="valid")
    assert np.array_equal(got, filtered(F, filters.KERNELS[name]))
    assert got[2] == pytest.approx(np.array(row, float), abs=1e-4)


def test_worked_convolution_by_a_filter():
    assert filters.correlate2d(I5, K3, border="valid").tolist() == CONV_VALID
    assert filters.correlate2d(I5, K3, border="constant").tolist() == CONV_P1


def test_sobel_on_a_slide():
    """The image and mask of the first slide on kernels, with zeros in the nine hidden pixels."""
    image = np.zeros((6, 6))
    image[0] = [131, 162, 232, 84, 91, 207]
    image[1:4, 0], image[1:4, 4:] = [104, 243, 185], [[237, 109], [135, 126], [61, 225]]
    image[4:] = [[157, 124, 25, 14, 102, 108], [5, 155, 16, 218, 232, 249]]
    for x in (image, image.astype(np.uint8)):
        got = filters.correlate2d(x, filters.SOBEL_X, border="valid", dtype="float32")
        assert np.array_equal(got, filtered(image, [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]))
        assert np.array_equal(got, filters.sobel(x, border="valid"))


def test_unsharp_mask_is_twice_the_image_less_its_blur():
    gauss5 = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
    unsharp5 = -gauss5
    unsharp5[2, 2] = 476 / 256
    expected = 2 * F[2:-2, 2:-2] - filtered(F, gauss5)
    assert filtered(F, unsharp5) == pytest.approx(expected, abs=1e-4)
    assert np.array_equal(filters.UNSHARP_5, unsharp5)
    assert np.array_equal(filters.GAUSS_5, gauss5)
    assert filters.unsharp_mask(F, border="valid") == pytest.approx(expected, abs=1e-4)


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
    kernel = [[-1, -1, 1], [-1, 1, -1], [1, -1, -1]]
    assert filtered(image, kernel, activation="relu").tolist() == [[0, 0, 0], [0, 0, 3], [0, 3, 0]]
    patch = np.zeros((3, 3))
    patch[0, 1:] = 1
    assert filtered(patch, kernel, activation="relu").tolist() == [[0]]
    assert filtered(np.eye(3)[::-1], kernel, activation="relu").tolist() == [[3]]


def test_pooling():
    assert pooled(MaxPooling2D(2), POOL_A) == [[6, 8], [3, 4]]
    assert pooled(MaxPooling2D(2), POOL_B) == [[9, 2], [6, 3]]
    assert pooled(AveragePooling2D(2), POOL_A) == [[3.25, 5.25], [2, 2]]
    assert pooled(AveragePooling2D(2), POOL_B) == [[3.75, 1.25], [3.75, 2]]
    assert pooled(GlobalAveragePooling2D(keepdims=True), POOL_B) == [[2.6875]]


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


def test_pooling_sizes():
    assert MaxPooling2D(2, 2).compute_output_shape((None, 16, 16, 8)) == (None, 8, 8, 8)
    assert MaxPooling2D(3, 2).compute_output_shape((None, 13, 13, 8)) == (None, 6, 6, 8)


def test_a_dense_layer_in_place_of_the_convolution():
    layer = Dense(28 * 28 * 6)
    layer.build((None, 3072))
    assert layer.count_params() == 14_455_392


def test_flatten_keeps_rows_columns_channels():
    x = np.arange(4 * 4 * 64).reshape(1, 4, 4, 64)
    assert Flatten()(x).tolist() == [list(range(1024))]
